//! Calls of `wasi:filesystem`, written as lines of words. What each gave is a line
//! of the answer. A word may have escapes as in URLs; a lone `%` is the empty one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use wasi::clocks::wall_clock::Datetime;
use wasi::filesystem::preopens::get_directories;
use wasi::filesystem::types::{
    Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags, filesystem_error_code,
};
use wasi::io::streams::{OutputStream, StreamError};

type Outcome = Result<String, Failure>;
type Open = BTreeMap<String, Descriptor>;

thread_local! {
    /// What `keep` has put aside, for later requests of the same instance.
    static KEPT: RefCell<Open> = const { RefCell::new(BTreeMap::new()) };
}

/// Why a line has no result.
enum Failure {
    Code(ErrorCode),
    Stream(StreamError),
    Line(&'static str),
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Failure::Code(code)
    }
}

impl From<StreamError> for Failure {
    fn from(e: StreamError) -> Self {
        Failure::Stream(e)
    }
}

/// Runs the lines of a script, with the first directory open as `/`.
pub fn run(script: &str) -> String {
    let mut open = Open::new();
    if let Some((d, _)) = get_directories().into_iter().next() {
        open.insert("/".into(), d);
    }
    let mut answer = String::new();
    for line in script.lines() {
        let words: Vec<String> = line.split_whitespace().map(unescape).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let shown: String = line.chars().take(60).collect();
        let outcome = match step(&mut open, &words) {
            Ok(text) => text,
            Err(Failure::Code(code)) => format!("error {}", code.name()),
            Err(Failure::Stream(StreamError::Closed)) => "closed".into(),
            Err(Failure::Stream(StreamError::LastOperationFailed(e))) => {
                match filesystem_error_code(&e) {
                    Some(code) => format!("failed {}", code.name()),
                    None => format!("failed otherwise: {}", e.to_debug_string()),
                }
            }
            Err(Failure::Line(what)) => format!("cannot run: {what}"),
        };
        writeln!(answer, "{shown}: {outcome}").unwrap();
    }
    answer
}

fn unescape(word: &str) -> String {
    if word == "%" {
        return String::new();
    }
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((&b, after)) = rest.split_first() {
        rest = after;
        if b == b'%' {
            let digits = std::str::from_utf8(&rest[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &rest[2..];
        } else {
            bytes.push(b);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn step(open: &mut Open, words: &[&str]) -> Outcome {
    match *words {
        ["open", name, dir, path, ref flags @ ..] => {
            let (paths, how, rights) = open_flags(flags)?;
            let d = get(open, dir)?.open_at(paths, path, how, rights)?;
            open.insert(name.into(), d);
            return done();
        }
        ["close", name] => {
            open.remove(name).ok_or(Failure::Line("it is not open"))?;
            return done();
        }
        ["keep", name] => {
            let d = open.remove(name).ok_or(Failure::Line("it is not open"))?;
            KEPT.with_borrow_mut(|kept| kept.insert(name.into(), d));
            return done();
        }
        ["kept", name] => {
            let d = KEPT.with_borrow_mut(|kept| kept.remove(name));
            open.insert(name.into(), d.ok_or(Failure::Line("it is not kept"))?);
            return done();
        }
        _ => {}
    }
    let open = &*open;
    match *words {
        ["preopens"] => Ok(preopens()),
        ["type", f] => Ok(type_name(get(open, f)?.get_type()?).into()),
        ["flags", f] => Ok(format!("{:?}", get(open, f)?.get_flags()?)),
        ["read", f, length, offset] => {
            let (bytes, end) = get(open, f)?.read(number(length)?, number(offset)?)?;
            Ok(format!("{:?}{}", lossy(&bytes), if end { ", end" } else { "" }))
        }
        ["write", f, offset, text] => {
            let n = get(open, f)?.write(text.as_bytes(), number(offset)?)?;
            Ok(format!("{n} bytes"))
        }
        ["read-stream", f, offset, length] => {
            let input = get(open, f)?.read_via_stream(number(offset)?)?;
            let mut all = Vec::new();
            loop {
                match input.blocking_read(number(length)?) {
                    Ok(bytes) => all.extend(bytes),
                    Err(StreamError::Closed) => break,
                    Err(e) => return Err(e.into()),
                }
            }
            Ok(format!("{:?}", lossy(&all)))
        }
        ["skip-stream", f, n, length] => {
            let input = get(open, f)?.read_via_stream(0)?;
            input.subscribe().block();
            let skipped = input.skip(number(n)?)?;
            let bytes = input.read(number(length)?)?;
            Ok(format!("{skipped}, {:?}", lossy(&bytes)))
        }
        ["write-stream", f, offset, ref texts @ ..] => {
            write_all(&get(open, f)?.write_via_stream(number(offset)?)?, texts)
        }
        ["append-stream", f, ref texts @ ..] => {
            write_all(&get(open, f)?.append_via_stream()?, texts)
        }
        ["advise", f, offset, length] => {
            for advice in [
                Advice::Normal,
                Advice::Sequential,
                Advice::Random,
                Advice::WillNeed,
                Advice::DontNeed,
                Advice::NoReuse,
            ] {
                get(open, f)?.advise(number(offset)?, number(length)?, advice)?;
            }
            done()
        }
        ["sync", f] => unit(get(open, f)?.sync()),
        ["sync-data", f] => unit(get(open, f)?.sync_data()),
        ["set-size", f, size] => unit(get(open, f)?.set_size(number(size)?)),
        ["set-times", f, access, change] => {
            unit(get(open, f)?.set_times(timestamp(access)?, timestamp(change)?))
        }
        ["set-times-at", d, path, access, change, ref flags @ ..] => unit(get(open, d)?.set_times_at(
            path_flags(flags)?,
            path,
            timestamp(access)?,
            timestamp(change)?,
        )),
        ["stat", f] => Ok(stat(get(open, f)?.stat()?)),
        ["stat-at", d, path, ref flags @ ..] => {
            Ok(stat(get(open, d)?.stat_at(path_flags(flags)?, path)?))
        }
        ["times", d, path] => {
            let s = get(open, d)?.stat_at(PathFlags::empty(), path)?;
            Ok(format!(
                "{} {}{}",
                time(s.data_access_timestamp),
                time(s.data_modification_timestamp),
                if s.status_change_timestamp.is_some() { "" } else { ", not changed" }
            ))
        }
        ["list", d] => list(get(open, d)?),
        ["mkdir", d, path] => unit(get(open, d)?.create_directory_at(path)),
        ["rmdir", d, path] => unit(get(open, d)?.remove_directory_at(path)),
        ["unlink", d, path] => unit(get(open, d)?.unlink_file_at(path)),
        ["symlink", d, target, path] => unit(get(open, d)?.symlink_at(target, path)),
        ["readlink", d, path] => Ok(get(open, d)?.readlink_at(path)?),
        ["link", d, path, to, new, ref flags @ ..] => {
            unit(get(open, d)?.link_at(path_flags(flags)?, path, get(open, to)?, new))
        }
        ["rename", d, path, to, new] => unit(get(open, d)?.rename_at(path, get(open, to)?, new)),
        ["same", f, g] => Ok(get(open, f)?.is_same_object(get(open, g)?).to_string()),
        ["hash", f, d, path, ref flags @ ..] => {
            let a = get(open, f)?.metadata_hash()?;
            let b = get(open, d)?.metadata_hash_at(path_flags(flags)?, path)?;
            Ok(if halves(a) == halves(b) { "equal" } else { "different" }.into())
        }
        _ => Err(Failure::Line("no such call")),
    }
}

fn done() -> Outcome {
    Ok("done".into())
}

fn unit(result: Result<(), ErrorCode>) -> Outcome {
    result?;
    done()
}

fn get<'a>(open: &'a Open, name: &str) -> Result<&'a Descriptor, Failure> {
    open.get(name).ok_or(Failure::Line("it is not open"))
}

fn number(word: &str) -> Result<u64, Failure> {
    word.parse().map_err(|_| Failure::Line("not a number"))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn halves(hash: MetadataHashValue) -> (u64, u64) {
    (hash.lower, hash.upper)
}

fn open_flags(words: &[&str]) -> Result<(PathFlags, OpenFlags, DescriptorFlags), Failure> {
    let mut paths = PathFlags::empty();
    let mut how = OpenFlags::empty();
    let mut rights = DescriptorFlags::empty();
    for word in words {
        match *word {
            "follow" => paths |= PathFlags::SYMLINK_FOLLOW,
            "create" => how |= OpenFlags::CREATE,
            "directory" => how |= OpenFlags::DIRECTORY,
            "exclusive" => how |= OpenFlags::EXCLUSIVE,
            "truncate" => how |= OpenFlags::TRUNCATE,
            "read" => rights |= DescriptorFlags::READ,
            "write" => rights |= DescriptorFlags::WRITE,
            "mutate" => rights |= DescriptorFlags::MUTATE_DIRECTORY,
            "sync" => rights |= DescriptorFlags::FILE_INTEGRITY_SYNC,
            "dsync" => rights |= DescriptorFlags::DATA_INTEGRITY_SYNC,
            "rsync" => rights |= DescriptorFlags::REQUESTED_WRITE_SYNC,
            _ => return Err(Failure::Line("no such flag")),
        }
    }
    Ok((paths, how, rights))
}

fn path_flags(words: &[&str]) -> Result<PathFlags, Failure> {
    Ok(open_flags(words)?.0)
}

fn timestamp(word: &str) -> Result<NewTimestamp, Failure> {
    Ok(match word {
        "now" => NewTimestamp::Now,
        "-" => NewTimestamp::NoChange,
        _ => {
            let (seconds, nanoseconds) = word.split_once('.').unwrap_or((word, "0"));
            NewTimestamp::Timestamp(Datetime {
                seconds: number(seconds)?,
                nanoseconds: number(nanoseconds)? as u32,
            })
        }
    })
}

fn time(t: Option<Datetime>) -> String {
    match t {
        None => "none".into(),
        Some(t) => format!("{}.{}", t.seconds, t.nanoseconds),
    }
}

fn stat(s: DescriptorStat) -> String {
    let mut text = type_name(s.type_).to_string();
    if s.type_ == DescriptorType::RegularFile {
        write!(text, ", {} bytes, {} names", s.size, s.link_count).unwrap();
    }
    text
}

fn type_name(t: DescriptorType) -> &'static str {
    match t {
        DescriptorType::Unknown => "unknown",
        DescriptorType::BlockDevice => "block device",
        DescriptorType::CharacterDevice => "character device",
        DescriptorType::Directory => "directory",
        DescriptorType::Fifo => "fifo",
        DescriptorType::SymbolicLink => "link",
        DescriptorType::RegularFile => "file",
        DescriptorType::Socket => "socket",
    }
}

fn preopens() -> String {
    let all = get_directories();
    let paths: Vec<&str> = all.iter().map(|(_, path)| path.as_str()).collect();
    paths.join(" ")
}

fn list(d: &Descriptor) -> Outcome {
    let entries = d.read_directory()?;
    let mut all = Vec::new();
    loop {
        match entries.read_directory_entry() {
            Ok(None) => break,
            Ok(Some(e)) => all.push(format!("{} ({})", e.name, type_name(e.type_))),
            Err(code) => all.push(format!("({})", code.name())),
        }
    }
    all.sort();
    Ok(all.join(" "))
}

/// Writes the texts one after the other: in one call each if they are short, and
/// by permission otherwise.
fn write_all(out: &OutputStream, texts: &[&str]) -> Outcome {
    for text in texts {
        if text.len() <= 4096 {
            out.blocking_write_and_flush(text.as_bytes())?;
        } else {
            crate::write(out, text.as_bytes());
        }
    }
    out.write_zeroes(out.check_write()?.min(1))?;
    out.blocking_flush()?;
    done()
}
