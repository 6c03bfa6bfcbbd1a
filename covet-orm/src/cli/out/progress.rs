//! A line on a terminal that says how far a statement is that goes in batches.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::migrate::Batch;

const LINE: &str = "[{bar:30}] {percent} % of {msg}: {pos} of {len} rows, {eta} left";

/// The line, while there is one.
#[derive(Debug, Default)]
pub(super) struct Bar(Mutex<Option<ProgressBar>>);

impl Bar {
    /// Shows how far it is, and at the end nothing any more.
    pub(super) fn show(&self, batch: &Batch<'_>) {
        self.show_on(batch, ProgressDrawTarget::stderr);
    }

    fn show_on(&self, batch: &Batch<'_>, target: impl FnOnce() -> ProgressDrawTarget) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if batch.is_done {
            if let Some(bar) = shown.take() {
                bar.finish_and_clear();
            }
            return;
        }
        let bar = shown.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(LINE).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(Some(batch.total), target()).with_position(batch.rows);
            bar.set_style(style.progress_chars("#> "));
            bar.set_message(batch.table.to_owned());
            // What an earlier run has done says nothing about the pace of this one.
            bar.reset_eta();
            bar
        });
        bar.set_position(batch.rows);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};

    use indicatif::{ProgressDrawTarget, TermLike};

    use super::Bar;
    use crate::migrate::Batch;

    /// A terminal of a hundred characters that keeps what is written.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl Screen {
        fn text(&self) -> String {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn says_how_far_it_is_and_leaves_nothing_behind() {
        let (bar, screen) = (Bar::default(), Screen::default());
        let target = || ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let batch = Batch { id: "1", statement: 1, table: "\"t\"", rows: 500, total: 2000, is_done: false };
        bar.show_on(&batch, target);
        let text = screen.text();
        assert!(text.starts_with("[#######>"), "{text}");
        assert!(text.contains("] 25 % of \"t\": 500 of 2000 rows, "), "{text}");
        bar.show_on(&Batch { is_done: true, ..batch.clone() }, target);
        assert!(!screen.text().contains("rows"), "{}", screen.text());
        bar.show_on(&Batch { rows: 0, total: 0, ..batch }, target);
        assert!(screen.text().contains("0 of 0 rows"), "{}", screen.text());
    }
}
