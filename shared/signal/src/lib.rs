//! Pure mathematics: robust statistics, onset, quantiles, shapes.
