//! What every tool speaks: requests, answers, evidence, time ranges, budgets, errors.
