//! wasi:clocks, wasi:random and wasi:cli.

use wasi::cli::{environment, exit, stderr, stdin, stdout};
use wasi::cli::{terminal_stderr, terminal_stdin, terminal_stdout};
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::random::{insecure, insecure_seed, random};

use crate::script::{Outcome, Script, number};

impl Script {
    pub fn system(&mut self, function: &str, args: &[&str]) -> Option<Outcome> {
        let told = match (function, args) {
            ("now", []) => monotonic_clock::now().to_string(),
            ("resolution", []) => monotonic_clock::resolution().to_string(),
            ("subscribe-duration", [ns]) => {
                return Some(self.keep(monotonic_clock::subscribe_duration(number(ns))));
            }
            ("subscribe-instant", [ns]) => {
                return Some(self.keep(monotonic_clock::subscribe_instant(number(ns))));
            }
            ("subscribe-in", [ns]) => {
                let when = monotonic_clock::now() + number(ns);
                return Some(self.keep(monotonic_clock::subscribe_instant(when)));
            }
            ("wall-clock", []) => {
                let now = wall_clock::now();
                format!("{} {}", now.seconds, now.nanoseconds < 1_000_000_000)
            }
            ("wall-clock-resolution", []) => {
                let step = wall_clock::resolution();
                format!("{} {}", step.seconds, step.nanoseconds)
            }

            ("get-random-bytes", [n]) => lengths(random::get_random_bytes, number(n)),
            ("get-random-u64", []) => (random::get_random_u64() != random::get_random_u64()).to_string(),
            ("get-insecure-random-bytes", [n]) => lengths(insecure::get_insecure_random_bytes, number(n)),
            ("get-insecure-random-u64", []) => {
                (insecure::get_insecure_random_u64() != insecure::get_insecure_random_u64()).to_string()
            }
            ("insecure-seed", []) => (insecure_seed::insecure_seed() != (0, 0)).to_string(),

            ("get-environment", [names @ ..]) => {
                let all = environment::get_environment().into_iter();
                let wanted = all.filter(|(name, _)| names.is_empty() || names.contains(&name.as_str()));
                wanted.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
            }
            ("get-arguments", []) => environment::get_arguments().join(" "),
            ("initial-cwd", []) => environment::initial_cwd().unwrap_or("none".into()),
            ("stdin", []) => return Some(self.keep(stdin::get_stdin())),
            ("stdout", []) => return Some(self.keep(stdout::get_stdout())),
            ("stderr", []) => return Some(self.keep(stderr::get_stderr())),
            ("terminals", []) => format!(
                "{} {} {}",
                terminal_stdin::get_terminal_stdin().is_some(),
                terminal_stdout::get_terminal_stdout().is_some(),
                terminal_stderr::get_terminal_stderr().is_some(),
            ),
            ("exit", [status]) => {
                exit::exit(if *status == "ok" { Ok(()) } else { Err(()) });
                "still there".into()
            }
            ("fail", []) => {
                self.failed = true;
                "ok".into()
            }
            _ => return None,
        };
        Some(Ok(told))
    }
}

/// Tells how many bytes there are, and whether they are others the next time.
fn lengths(bytes: fn(u64) -> Vec<u8>, n: u64) -> String {
    let first = bytes(n);
    format!("{} {}", first.len(), n == 0 || first != bytes(n))
}
