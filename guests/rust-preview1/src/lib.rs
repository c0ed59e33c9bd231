//! A component that exports `wasi:http/incoming-handler` and uses files by Rust's
//! standard library, which on wasm32-wasip1 is the C library on WASI preview 1:
//! what a core module built with an SDK does. README.md lists the paths.
//!
//! The answer is a transcript of what came of each call, with no times and no
//! numbers of files in it. What a request makes it removes.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Handler;

wasi::http::proxy::export!(Handler);

impl wasi::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = exchange::split(&target);
        let answer = match &path[path.rfind('/').unwrap_or_default()..] {
            "/read" => reading(query),
            "/write" => writing(query),
            "/keep" => keep(query),
            "/sleep" => sleep(query.parse().unwrap_or_default()),
            _ => "no such path".to_owned(),
        };
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().unwrap();
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().unwrap();
        for part in answer.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(part).unwrap();
        }
        drop(stream);
        OutgoingBody::finish(body, None).unwrap();
    }
}

/// What came of each call, a line each.
struct Transcript(String);

impl Transcript {
    /// Notes what came of a call and returns it.
    fn note<T: Debug>(&mut self, what: &str, got: io::Result<T>) -> io::Result<T> {
        self.0 += &match &got {
            Ok(value) => format!("{what}: {value:?}\n"),
            Err(e) => format!("{what}: {:?}\n", e.kind()),
        };
        got
    }

    /// Notes whether a call succeeded, where its value says nothing.
    fn done<T>(&mut self, what: &str, got: io::Result<T>) -> Option<T> {
        let (value, result) = match got {
            Ok(value) => (Some(value), Ok(())),
            Err(e) => (None, Err(e)),
        };
        let _ = self.note(what, result);
        value
    }
}

/// The names in a directory, in order, with a slash after those of directories.
fn names(dir: &str) -> io::Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
        all.push(format!("{}{slash}", entry.file_name().to_string_lossy()));
    }
    all.sort();
    Ok(all)
}

/// Kind and length of a file.
fn kind(path: &str) -> io::Result<(&'static str, u64)> {
    let m = fs::metadata(path)?;
    Ok(match () {
        _ if m.is_dir() => ("directory", 0),
        _ if m.is_file() => ("file", m.len()),
        _ => ("other", 0),
    })
}

/// What can be done where nothing may be written; dir has a file `a.txt` and a
/// directory `sub`.
fn reading(dir: &str) -> String {
    let mut t = Transcript(String::new());
    let at = |name: &str| format!("{dir}/{name}");
    let _ = t.note("read_to_string", fs::read_to_string(at("a.txt")));
    let _ = t.note("read_dir", names(dir));
    let _ = t.note("read_dir of a file", names(&at("a.txt")));
    let _ = t.note("read_dir of nothing", names(&at("absent")));
    let _ = t.note("metadata of a file", kind(&at("a.txt")));
    let _ = t.note("metadata of a directory", kind(&at("sub")));
    let _ = t.note("metadata of nothing", kind(&at("absent")));
    let _ = t.note("metadata beneath a file", kind(&at("a.txt/x")));
    let _ = t.note("metadata above the root", kind("/../outside"));
    let _ = t.note("metadata of a file with a slash", kind(&at("a.txt/")));
    let _ = t.note("metadata of a path with a NUL", kind("a\0b"));
    let _ = t.note("read_link of a file", fs::read_link(at("a.txt")));
    t.done("open", File::open(at("a.txt")));
    t.done("open nothing", File::open(at("absent")));
    let _ = t.note("read of a directory", fs::read(at("sub")));
    if let Ok(mut f) = File::open(at("a.txt")) {
        let mut two = [0; 2];
        let _ = t.note("seek from the end", f.seek(SeekFrom::End(-3)));
        let _ = t.note("read", f.read(&mut two).map(|n| two[..n].to_vec()));
        let _ = t.note("seek before the start", f.seek(SeekFrom::Current(-100)));
        let _ = t.note("position", f.stream_position());
        t.done("write to what is open for reading", f.write(b"x"));
        t.done("sync_all", f.sync_all());
    }
    t.0
}

/// What can be done where all may be: the same directory.
fn writing(dir: &str) -> String {
    let mut t = Transcript(reading(dir));
    let at = |name: &str| format!("{dir}/{name}");
    let w = at("w");
    t.done("write", fs::write(&w, "hello"));
    t.done("create_new of what is there", File::create_new(&w));
    t.done("create beneath nothing", File::create(at("absent/x")));
    if let Some(mut f) = t.done("open to append", OpenOptions::new().append(true).open(&w)) {
        t.done("append", f.write_all(b", wor"));
        t.done("append", f.write_all(b"ld"));
    }
    let _ = t.note("read_to_string", fs::read_to_string(&w));
    if let Some(mut f) = t.done("open for both", OpenOptions::new().read(true).write(true).open(&w)) {
        let _ = t.note("seek", f.seek(SeekFrom::Start(7)));
        t.done("write", f.write_all(b"W"));
        t.done("set_len", f.set_len(9));
        let mut rest = String::new();
        let _ = t.note("read to the end", f.read_to_string(&mut rest));
        t.done("rewind", f.rewind());
        rest.clear();
        let _ = t.note("read to the end", f.read_to_string(&mut rest));
        let _ = t.note("what was read", Ok(rest));
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
        t.done("set_modified", f.set_modified(then));
        let _ = t.note("is it", f.metadata().and_then(|m| m.modified()).map(|m| m == then));
        t.done("sync_data", f.sync_data());
    }
    let _ = t.note("copy", fs::copy(&w, at("copy")));
    t.done("hard_link", fs::hard_link(&w, at("hard")));
    t.done("hard_link again", fs::hard_link(&w, at("hard")));
    t.done("rename", fs::rename(at("copy"), at("moved")));
    t.done("rename nothing", fs::rename(at("copy"), at("moved")));
    t.done("create_dir", fs::create_dir(at("d")));
    t.done("create_dir again", fs::create_dir(at("d")));
    t.done("create_dir_all", fs::create_dir_all(at("d/e/f")));
    t.done("rename into a directory", fs::rename(at("moved"), at("d/e/moved")));
    let _ = t.note("read_dir", names(&at("d/e")));
    t.done("rename of a directory", fs::rename(at("d"), at("d2")));
    let _ = t.note("read_dir", names(dir));
    t.done("remove_file of a directory", fs::remove_file(at("d2")));
    t.done("remove_dir with something in it", fs::remove_dir(at("d2")));
    t.done("remove_dir of a file", fs::remove_dir(&w));
    let many = at("d2/many");
    let made: io::Result<usize> = fs::create_dir(&many).and_then(|()| {
        (0..300).try_fold(0, |n, i| fs::write(format!("{many}/{i}"), "").map(|()| n + 1))
    });
    let _ = t.note("make many files", made);
    let _ = t.note("find them", names(&many).map(|all| all.len()));
    t.done("remove_dir_all", fs::remove_dir_all(at("d2")));
    let large: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
    t.done("write much", fs::write(at("large"), &large));
    let _ = t.note("read it", fs::read(at("large")).map(|got| got == large));
    for name in ["w", "hard", "large"] {
        t.done("remove_file", fs::remove_file(at(name)));
    }
    t.done("remove_file again", fs::remove_file(&w));
    let _ = t.note("read_dir", names(dir));
    t.0
}

/// What an instance keeps open for its later requests.
static KEPT: Mutex<Option<File>> = Mutex::new(None);

/// Reads from a file that an earlier request left open, if there was one, and leaves
/// one open.
fn keep(path: &str) -> String {
    let mut t = Transcript(String::new());
    let mut kept = KEPT.lock().unwrap();
    match kept.take() {
        None => t.0 += "nothing was kept\n",
        Some(mut f) => {
            let mut first = [0; 1];
            let _ = t.note("read what was kept", f.read(&mut first));
            std::mem::forget(f); // its number may be another's by now
        }
    }
    *kept = t.done("open", File::open(path));
    let _ = t.note("read_to_string", fs::read_to_string(path));
    t.0
}

/// Waits, which is a poll of a clock.
fn sleep(ms: u64) -> String {
    let begin = Instant::now();
    thread::sleep(Duration::from_millis(ms));
    format!("waited: {}\n", begin.elapsed() >= Duration::from_millis(ms))
}
