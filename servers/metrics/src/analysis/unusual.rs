//! Which metrics of a service left their usual range, which moved first, and which tell the same story.
//!
//! The order is: [`kinds`] says what each name of a series is, [`reading`] and [`native`] turn what was read into rates,
//! [`signals`] makes of them what is judged, [`moment`] says which part of the window is the baseline, [`score`] judges
//! one signal, [`ranking`] orders all of them.

pub(crate) mod apart;
pub(crate) mod kinds;
pub(crate) mod moment;
pub(crate) mod native;
pub(crate) mod ranking;
pub(crate) mod reading;
pub(crate) mod score;
pub(crate) mod signals;

#[cfg(test)]
mod tests;
