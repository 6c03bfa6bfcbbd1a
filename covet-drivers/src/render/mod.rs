//! From statement trees to SQL text: one printer, and what differs between databases behind [`Dialect`].

pub mod ansi;
mod dialect;
mod printer;

pub use dialect::Dialect;
pub use printer::{Printed, Printer, Slot, print};
