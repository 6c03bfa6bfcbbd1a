//! The one line that the tool needs in a program.

/// The line.
pub(super) const LINE: &str = "covet_orm::tool!();";

/// The program with the line as the first of its `fn main`; `None` where it is not plain where that would be.
pub(super) fn with_line(text: &str) -> Option<String> {
    let is_main = |line: &str| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.starts_with("fn main(") && line.trim_end().ends_with('{')
    };
    let mut mains = text.split_inclusive('\n').filter(|line| is_main(line));
    let main = mains.next()?;
    if mains.next().is_some() || !main.ends_with('\n') {
        return None;
    }
    let end = if main.ends_with("\r\n") { "\r\n" } else { "\n" };
    let at = text.find(main)? + main.len();
    let (before, after) = text.split_at_checked(at)?;
    Some(format!("{before}    {LINE}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::with_line;

    #[test]
    fn the_line_comes_first() {
        for (before, after) in [
            (
                "mod a;\n\nfn main() {\n    a::b();\n}\n",
                "mod a;\n\nfn main() {\n    covet_orm::tool!();\n    a::b();\n}\n",
            ),
            ("#[x]\nasync fn main() -> R<()> {\n}\n", "#[x]\nasync fn main() -> R<()> {\n    covet_orm::tool!();\n}\n"),
            ("fn main() {\r\n}\r\n", "fn main() {\r\n    covet_orm::tool!();\r\n}\r\n"),
        ] {
            assert_eq!(with_line(before).as_deref(), Some(after));
        }
    }

    #[test]
    fn what_is_not_plain_is_left_alone() {
        for text in
            ["", "fn main() {}\n", "fn main()\n{\n}\n", "fn main() {\n}\nfn main() {\n}\n", "    fn main() {\n    }\n"]
        {
            assert_eq!(with_line(text), None, "{text}");
        }
    }
}
