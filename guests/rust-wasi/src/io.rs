//! wasi:io.

use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::StreamError;

use crate::script::{Outcome, Script, Value, number};

impl Script {
    pub fn io(&mut self, function: &str, args: &[&str]) -> Option<Outcome> {
        Some(match (function, args) {
            ("read", [s, n]) => self.read(self.input(s).read(number(n))),
            ("blocking-read", [s, n]) => self.read(self.input(s).blocking_read(number(n))),
            ("read-all", [s]) => {
                let mut got = Vec::new();
                while let Ok(bytes) = self.input(s).blocking_read(1 << 20) {
                    got.extend(bytes);
                }
                Ok(String::from_utf8_lossy(&got).into_owned())
            }
            ("skip", [s, n]) => self.count(self.input(s).skip(number(n))),
            ("blocking-skip", [s, n]) => self.count(self.input(s).blocking_skip(number(n))),

            ("check-write", [s]) => self.count(self.output(s).check_write()),
            ("write", [s, text]) => self.done(self.output(s).write(unescaped(text).as_bytes())),
            ("write-much", [s, n]) => self.done(self.output(s).write(&vec![b'x'; number(n) as usize])),
            ("blocking-write-and-flush", [s, text]) => {
                self.done(self.output(s).blocking_write_and_flush(unescaped(text).as_bytes()))
            }
            ("blocking-write-much-and-flush", [s, n]) => {
                self.done(self.output(s).blocking_write_and_flush(&vec![b'x'; number(n) as usize]))
            }
            ("flush", [s]) => self.done(self.output(s).flush()),
            ("blocking-flush", [s]) => self.done(self.output(s).blocking_flush()),
            ("write-zeroes", [s, n]) => self.done(self.output(s).write_zeroes(number(n))),
            ("blocking-write-zeroes-and-flush", [s, n]) => {
                self.done(self.output(s).blocking_write_zeroes_and_flush(number(n)))
            }
            ("splice", [s, from, n]) => {
                self.count(self.output(s).splice(self.input(from), number(n)))
            }
            ("blocking-splice", [s, from, n]) => {
                self.count(self.output(s).blocking_splice(self.input(from), number(n)))
            }
            ("to-debug-string", [e]) => Ok(self.error(e).to_debug_string()),

            ("ready", [p]) => Ok(self.pollable(p).ready().to_string()),
            ("block", [p]) => {
                self.pollable(p).block();
                Ok("ok".into())
            }
            ("poll", names) => {
                let list: Vec<&Pollable> = names.iter().map(|name| self.pollable(name)).collect();
                let ready = poll(&list);
                Ok(ready.iter().map(u32::to_string).collect::<Vec<_>>().join(" "))
            }
            ("poll-many", [p, n]) => {
                let list = vec![self.pollable(p); number(n) as usize];
                Ok(poll(&list).len().to_string())
            }
            ("subscribe", [name]) => {
                let pollable = match &self.values[*name] {
                    Value::Input(s) => s.subscribe(),
                    Value::Output(s) => s.subscribe(),
                    Value::Tcp(s) => s.subscribe(),
                    Value::Udp(s) => s.subscribe(),
                    Value::Datagrams(s, _) => s.subscribe(),
                    Value::Lookup(s) => s.subscribe(),
                    Value::Response(f) => f.subscribe(),
                    Value::Pollable(_) | Value::Error(_) => panic!("{name} has nothing to wait for"),
                };
                self.keep(pollable)
            }
            ("subscribe-much", [name, n]) => {
                for _ in 0..number(n) {
                    std::mem::forget(self.input(name).subscribe());
                }
                Ok("ok".into())
            }
            ("drop", names) => {
                for name in names {
                    self.values.remove(*name).unwrap();
                }
                Ok("ok".into())
            }
            _ => return None,
        })
    }

    fn read(&mut self, got: Result<Vec<u8>, StreamError>) -> Outcome {
        let bytes = got.map_err(|e| self.stream_error(e))?;
        Ok(format!("{:?}", String::from_utf8_lossy(&bytes)))
    }

    fn count(&mut self, got: Result<u64, StreamError>) -> Outcome {
        got.map(|n| n.to_string()).map_err(|e| self.stream_error(e))
    }

    fn done(&mut self, got: Result<(), StreamError>) -> Outcome {
        got.map(|()| "ok".into()).map_err(|e| self.stream_error(e))
    }

    /// Names the case, and keeps the error of a failure.
    fn stream_error(&mut self, e: StreamError) -> String {
        match e {
            StreamError::Closed => "closed".into(),
            StreamError::LastOperationFailed(e) => {
                let _ = self.keep(e);
                "last-operation-failed".into()
            }
        }
    }
}

/// A text with its line ends, which are written `\n`.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
}
