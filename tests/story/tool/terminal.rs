//! The tool on a terminal, by `script` of util-linux, which gives a program one.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::tool::{secrets, target, tool};
use covet_tests::program::without_cargo;

/// How long a question may let wait; before the first one the program is built.
const PATIENCE: Duration = Duration::from_secs(300);

/// A run of the tool, with somebody who answers.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Arc<(Mutex<String>, Condvar)>,
    /// How much of the screen belongs to questions that are answered.
    seen: usize,
}

impl Terminal {
    pub(crate) fn open(folder: &Path, args: &[&str]) -> Terminal {
        let words: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
        let line = format!("'{}' covet {}; echo \"[exit $?]\"", tool().display(), words.join(" "));
        let mut script = Command::new("script");
        without_cargo(&mut script).args(["-qec", &line, "/dev/null"]).current_dir(folder);
        script.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true").env("TERM", "xterm");
        script.env_remove("DATABASE_URL").env_remove("NO_COLOR");
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("util-linux has `script`");
        let (keys, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let screen = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let theirs = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                theirs.0.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
                theirs.1.notify_all();
            }
        });
        Terminal { child, keys, screen, seen: 0 }
    }

    /// Waits for these words, and types.
    #[track_caller]
    pub(crate) fn answers(&mut self, words: &str, keys: &str) {
        let end = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().unwrap();
        loop {
            if let Some(at) = screen[self.seen..].find(words) {
                self.seen += at + words.len();
                break;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "`{words}` was not said: {screen}");
            screen = self.screen.1.wait_timeout(screen, left.min(Duration::from_millis(100))).unwrap().0;
            if self.child.try_wait().unwrap().is_some() {
                // The last of its output may still be on its way.
                screen = self.screen.1.wait_timeout(screen, Duration::from_millis(200)).unwrap().0;
                assert!(screen[self.seen..].contains(words), "it ended without `{words}`: {screen}");
            }
        }
        drop(screen);
        // The question is on the screen a moment before its keys are read.
        thread::sleep(Duration::from_millis(200));
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// All that was on the screen in the end, without a password.
    pub(crate) fn end(mut self) -> String {
        self.child.wait().unwrap();
        drop(self.keys);
        thread::sleep(Duration::from_millis(50));
        let screen = self.screen.0.lock().unwrap().clone();
        for secret in secrets() {
            assert!(!screen.contains(&secret), "a password is told");
        }
        screen
    }
}
