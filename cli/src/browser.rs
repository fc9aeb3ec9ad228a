//! Opens pages in a browser.

use std::process::{Command, Stdio};

use crate::out::complain;

/// The program that opens an address in the browser of whoever is logged in.
const OPENER: &[&str] = if cfg!(target_os = "macos") {
    &["open"]
} else if cfg!(windows) {
    &["cmd", "/C", "start", ""]
} else {
    &["xdg-open"]
};

/// Opens a page, by its URL or its path, in a browser. Where there is none, says so; the program goes on.
#[expect(clippy::disallowed_methods, reason = "nothing waits for the thread that waits")]
pub(crate) fn open(address: &str) {
    let mut command = Command::new(OPENER[0]);
    command.args(&OPENER[1..]).arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        // Some openers live as long as the browser; the thread ends with them or with the program.
        Ok(mut opener) => drop(std::thread::spawn(move || {
            if opener.wait().is_ok_and(|status| !status.success()) {
                complain!("stoop: {} opened no browser", OPENER[0]);
            }
        })),
        Err(error) => complain!("stoop: {} opens no browser: {error}", OPENER[0]),
    }
}
