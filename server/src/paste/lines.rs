//! One image a line.

use super::Found;

/// Takes every line that is neither empty nor a comment.
pub fn collect(text: &str, found: &mut Found) {
    for (number, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') || line == "---" {
            continue;
        }
        // From a list, from a Dockerfile, or quoted.
        let bare = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).unwrap_or(line).trim();
        let bare = bare.strip_prefix("image:").or_else(|| bare.strip_prefix("FROM ")).unwrap_or(bare).trim();
        let bare = bare.trim_end_matches(',').trim_matches(['"', '\'', '`']);
        let place = format!("line {}", number + 1);
        if bare.contains(char::is_whitespace) {
            found.unread(line, &place, "there are several words: write one image a line".to_owned());
        } else {
            found.image(bare, &place);
        }
    }
}
