//! What every tool speaks: requests, answers, evidence, time ranges, budgets, errors.
//!
//! Plain data. Nothing here knows tokio, rmcp or HTTP, so an analysis or a renderer can be read and tested
//! without a server around it. The order of a call is `request` → tool → [`Draft`] → [`Answer`] → [`render`].

mod answer;
mod budget;
mod call;
mod card;
mod clock;
mod error;
mod nearest;
mod number;
pub mod render;
pub mod request;
pub mod schema;
mod time;
mod untrusted;

pub use answer::{Answer, Cell, Cite, Draft, Evidence, Finding, Next, Table};
pub use budget::{Budget, Detail};
pub use call::{CallId, Context, Noting, Past, Trail, UpstreamCall};
pub use card::{Card, Cost, Effect, Tool};
pub use clock::{Clock, FixedClock, SystemClock};
pub use error::{ErrorKind, ToolError};
pub use nearest::nearest;
pub use number::{counted, json_number, significant};
pub use time::{Moment, TimeError, TimeRange, TimeSpec, duration_text, parse_duration, time_text};
pub use untrusted::{Intake, Untrusted, is_plain_name};
