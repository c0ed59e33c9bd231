//! Paths of requests, and of the files they are for.

/// The path of the file that a path of a request is for, from the root; `None` if it
/// cannot be that of any.
pub fn of_file(path: &str) -> Option<String> {
    let path = decoded(path)?;
    let mut file = String::new();
    for name in path.split('/') {
        match name {
            "" | "." => (),
            ".." => return None,
            _ if name.contains(['\0', '\\']) => return None,
            _ => {
                file.push('/');
                file.push_str(name);
            }
        }
    }
    if file.is_empty() {
        file.push('/');
    } else if path.ends_with('/') {
        file.push('/'); // which only a directory may have
    }
    Some(file)
}

/// The path of a request with a slash behind it; `None` where a browser would take
/// it for another server's.
pub fn with_slash(path: &str, query: &str) -> Option<String> {
    if !path.starts_with('/') || path.starts_with("//") || path.contains('\\') {
        return None;
    }
    let mark = if query.is_empty() { "" } else { "?" };
    Some(format!("{path}/{mark}{query}"))
}

/// Resolves percent-encoding; `None` if there is something that is not encoded
/// properly, or not UTF-8.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let high = char::from(*after.first()?).to_digit(16)?;
        let low = char::from(*after.get(1)?).to_digit(16)?;
        bytes.push((high * 16 + low) as u8);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}
