//! Sets cbindgen's text as a book: headings, one-line comments, no gaps between numbers that belong together.
//!
//! Only lines are moved and comments joined; no declaration is touched, so that nothing here can change the ABI.

const WIDTH: usize = 110;

/// `chapters` are headings with the Rust source whose functions stand under them.
pub fn as_a_book(text: &str, chapters: &[(&str, String)]) -> String {
    let lines = close_gaps(filled(short_comments(text.lines().map(String::from).collect())));
    let lines = with_headings(lines, chapters);
    lines.join("\n") + "\n"
}

/// A comment of one sentence takes one line.
fn short_comments(lines: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(lines.len());
    for line in lines {
        let n = out.len();
        let closes = line.trim() == "*/" && n >= 2 && out[n - 2].trim() == "/**";
        if closes && out[n - 1].len() + 3 <= WIDTH + 10 {
            let said = out.pop().unwrap_or_default();
            let open = out.pop().unwrap_or_default();
            out.push(format!("{open} {} */", said.trim().trim_start_matches('*').trim()));
        } else {
            out.push(line);
        }
    }
    out
}

/// A declaration takes one line, or as many as it fills.
fn filled(lines: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(lines.len());
    let mut lines = lines.into_iter();
    while let Some(mut line) = lines.next() {
        if line == "RQX_API" {
            line = format!("RQX_API {}", lines.next().unwrap_or_default());
        }
        if !line.starts_with("RQX_API ") {
            out.push(line);
            continue;
        }
        let mut filling = String::new();
        for word in line.split_inclusive(", ") {
            if filling.len() + word.trim_end().len() > WIDTH {
                out.push(filling.trim_end().to_string());
                filling = String::from("    ");
            }
            filling.push_str(word);
        }
        out.push(filling);
    }
    out
}

/// Numbers of one family (`RQX_E_`, `RQX_OPT_`) stand together, with an empty line between families.
fn close_gaps(lines: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(lines.len());
    for (i, line) in lines.iter().enumerate() {
        let here = out.last().and_then(|above| family(above));
        let next = lines[i + 1..].iter().find_map(|below| family(below));
        if line.is_empty() && here.is_some() && here == next {
            continue;
        }
        out.push(line.clone());
    }
    out
}

fn family(line: &str) -> Option<String> {
    let name = line.strip_prefix("#define RQX_")?.split(' ').next()?;
    name.split('_').next().map(String::from)
}

fn with_headings(mut lines: Vec<String>, chapters: &[(&str, String)]) -> Vec<String> {
    head(&mut lines, "numbers", |line| family(line).is_some_and(|f| f != "API"));
    head(&mut lines, "handles, structs and callbacks", |line| line.starts_with("typedef "));
    for (title, source) in chapters {
        let starts = lines.iter().position(|line| {
            declared_function(line).is_some_and(|name| source.contains(&format!("extern \"C\" fn {name}(")))
        });
        if let Some(at) = starts {
            insert_heading(&mut lines, at, title);
        }
    }
    lines
}

fn head(lines: &mut Vec<String>, title: &str, first: impl Fn(&str) -> bool) {
    if let Some(at) = lines.iter().position(|line| first(line)) {
        insert_heading(lines, at, title);
    }
}

/// Above the declaration at `at`, and above its comment.
fn insert_heading(lines: &mut Vec<String>, at: usize, title: &str) {
    let rule = "=".repeat(WIDTH.saturating_sub(title.len() + 12));
    lines.insert(comment_above(lines, at), format!("/* ==== {title} {rule} */\n"));
}

/// The function that a line declares.
fn declared_function(line: &str) -> Option<&str> {
    line.strip_prefix("RQX_API ")?.split('(').next()?.rsplit([' ', '*']).next()
}

fn comment_above(lines: &[String], at: usize) -> usize {
    if at == 0 || !lines[at - 1].trim_end().ends_with("*/") {
        return at;
    }
    (0..at).rev().find(|&i| lines[i].trim_start().starts_with("/*")).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(text: &str, chapters: &[(&str, String)]) -> Vec<String> {
        as_a_book(text, chapters).lines().map(String::from).collect()
    }

    #[test]
    fn comment_of_one_sentence_takes_one_line() {
        let lines = short_comments(["/**", " * Frees it.", " */", "x"].map(String::from).to_vec());

        assert_eq!(lines, ["/** Frees it. */", "x"]);
    }

    #[test]
    fn long_declaration_is_broken_between_arguments() {
        let long = format!("int32_t rqx_send({}uint64_t token);", "const uint8_t *head, ".repeat(5));
        let lines = filled(vec!["RQX_API".to_string(), long]);

        assert_eq!(lines.len(), 2);
        assert!(lines[0].ends_with("*head,") && lines[1].starts_with("    const"), "{lines:?}");
    }

    #[test]
    fn numbers_of_one_family_stand_together() {
        let lines = book("#define RQX_E_A 1\n\n/**\n * B.\n */\n#define RQX_E_B 2\n\n#define RQX_F_C 1", &[]);

        assert_eq!(
            lines[2..],
            ["#define RQX_E_A 1", "/** B. */", "#define RQX_E_B 2", "", "#define RQX_F_C 1"]
        );
    }

    #[test]
    fn chapter_begins_above_the_comment_of_its_first_function() {
        let source = "pub extern \"C\" fn rqx_x_free(x: *mut rqx_x) {}".to_string();
        let lines = book("/** Frees. */\nRQX_API\nvoid rqx_x_free(rqx_x *x);", &[("the x", source)]);

        assert!(lines[0].starts_with("/* ==== the x ="), "{lines:?}");
        assert_eq!(lines[2], "/** Frees. */");
    }

    #[test]
    fn function_name_is_found_behind_a_pointer() {
        let declared = declared_function("RQX_API const char *rqx_version(void);");

        assert_eq!(declared, Some("rqx_version"));
    }
}
