//! The same as programs do it: through Rust's standard library, the C library
//! beneath it, and the adapter that toolchains put under that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Works in a directory of its own beneath the given one, and removes it.
pub fn run(under: &str) -> String {
    match work(under) {
        Ok(text) => text,
        Err(e) => format!("{:?}", e.kind()),
    }
}

fn work(under: &str) -> io::Result<String> {
    let top = format!("{under}/std");
    let inner = format!("{top}/a/b");
    fs::create_dir_all(&inner)?;
    let path = format!("{inner}/text");
    fs::write(&path, "hello, ")?;
    let mut file = OpenOptions::new().append(true).open(&path)?;
    file.write_all(b"world!")?;
    drop(file);
    let mut file = File::options().read(true).write(true).open(&path)?;
    file.seek(SeekFrom::Start(7))?;
    file.write_all(b"W")?;
    file.rewind()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    file.set_len(5)?;
    text += &format!("; {} bytes", file.metadata()?.len());
    fs::copy(&path, format!("{top}/copy"))?;
    fs::rename(&path, format!("{inner}/renamed"))?;
    fs::hard_link(format!("{inner}/renamed"), format!("{top}/linked"))?;
    let mut names = fs::read_dir(&top)?
        .map(|e| e.map(|e| e.file_name().into_string().unwrap()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    text += &format!("; {}", names.join(" "));
    text += &format!("; {}", fs::read_to_string(format!("{top}/linked"))?);
    fs::remove_file(format!("{top}/linked"))?;
    fs::remove_dir_all(&top)?;
    text += &format!("; {:?}", fs::metadata(&top).map_err(|e| e.kind()).err());
    Ok(text)
}
