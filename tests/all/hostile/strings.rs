//! The strings: the list of the crate `naughty-strings`, what that list lacks, and generated ones.

use std::collections::HashSet;

use covet_tests::chance::Chance;

/// Strings that other collections have and the crate's has not: blanks where one trims, characters that look
/// like nothing or stand for a blank, and what is like a format.
const MORE: &[&str] = &[
    // Ends in blanks, where trimming would hide them.
    "\u{30fd}\u{f3c}\u{e88}\u{644}\u{35c}\u{e88}\u{f3d}\u{ff89} \u{30fd}\u{f3c}\u{e88}\u{644}\u{35c}\u{e88}\
     \u{f3d}\u{ff89} ",
    "(\u{256f}\u{b0}\u{25a1}\u{b0}\u{ff09}\u{256f}\u{fe35} \u{253b}\u{2501}\u{253b})  ",
    "\u{1f47e} \u{1f647} \u{1f481} \u{1f645} \u{1f646} \u{1f64b} \u{1f64e} \u{1f64d} ",
    "\u{1f1fa}\u{1f1f8}\u{1f1f7}\u{1f1fa}\u{1f1f8} \u{1f1e6}\u{1f1eb}\u{1f1e6}\u{1f1f2}\u{1f1f8}             \
     \u{20}                                                                            ",
    "\u{645}\u{64f}\u{646}\u{64e}\u{627}\u{642}\u{64e}\u{634}\u{64e}\u{629}\u{64f} \u{633}\u{64f}\u{628}\
     \u{64f}\u{644}\u{650} \u{627}\u{650}\u{633}\u{652}\u{62a}\u{650}\u{62e}\u{652}\u{62f}\u{64e}\u{627}\
     \u{645}\u{650} \u{627}\u{644}\u{644}\u{651}\u{64f}\u{63a}\u{64e}\u{629}\u{650} \u{641}\u{650}\u{64a} \
     \u{627}\u{644}\u{646}\u{651}\u{64f}\u{638}\u{64f}\u{645}\u{650} \u{627}\u{644}\u{652}\u{642}\u{64e}\
     \u{627}\u{626}\u{650}\u{645}\u{64e}\u{629}\u{650} \u{648}\u{64e}\u{641}\u{650}\u{64a}\u{645} \u{64a}\
     \u{64e}\u{62e}\u{64f}\u{635}\u{651}\u{64e} \u{627}\u{644}\u{62a}\u{651}\u{64e}\u{637}\u{652}\u{628}\
     \u{650}\u{64a}\u{642}\u{64e}\u{627}\u{62a}\u{64f} \u{627}\u{644}\u{652}\u{62d}\u{627}\u{633}\u{64f}\
     \u{648}\u{628}\u{650}\u{64a}\u{651}\u{64e}\u{629}\u{64f} ",
    "<svg><script>123<1>alert(123)</script> ",
    " onfocus=JaVaSCript:alert(123) autofocus ",
    "\" onfocus=JaVaSCript:alert(123) autofocus ",
    "' onfocus=JaVaSCript:alert(123) autofocus ",
    "'`\"><\\x3Cscript>javascript:alert(1)</script>        ",
    // Blanks of other kinds, each alone, and the pictures of blank and delete.
    "\u{200b}",
    "\u{1680}",
    "\u{180e}",
    "\u{3000}",
    "\u{2423}",
    "\u{2422}",
    "\u{2421}",
    // A format.
    "%s",
    // Ends of quotations and comments of each database, and of Covet's own escapes.
    "\\",
    "\\\\'",
    "'\\''",
    "\\'; SELECT 1; -- ",
    "\u{bf}' OR 1=1 -- ",
    "E'\\''",
    "U&'\\0041'",
    "$$",
    "$a$ $a$",
    "$covet$'\"`",
    "/*! 1 */",
    "*/ DROP TABLE scrolls; /*",
    "# comment\n'",
    "-- comment\r\n\"",
    "`; DROP TABLE scrolls; -- ",
    "\"; DROP TABLE scrolls; -- ",
    "]]>; GO",
    "x'00'",
    "0x27204f522031",
    "{fn now()}",
    "?1 ?? :a @b $1 $name #{x} ${y} %(z)s",
    "!%!_!!",
    "\u{1a}",
    "\u{8}\u{7f}",
    "\u{d7ff}\u{e000}\u{fffd}\u{ffff}",
    "\\ud800\\udc00 \\ud800",
    "\\u0000",
    "\u{10ffff}",
    "\u{202e}'; --\u{202c}",
    "a\u{301}\u{302}\u{303}\u{304}'",
    "\u{ff07}\u{ff02}\u{ff1b}",
    "\u{2018}\u{2019}\u{2bc}",
];

/// All of the lists, each string once.
pub(super) fn listed() -> Vec<String> {
    let mut seen = HashSet::new();
    let both = naughty_strings::BLNS.iter().chain(MORE);
    both.filter(|text| seen.insert(**text)).map(|text| (*text).to_owned()).collect()
}

/// So many strings, always the same.
pub(super) fn generated(count: usize) -> Vec<String> {
    let mut dice = Dice(Chance(0x636f_7665_7420_6f72));
    let mut seen = HashSet::new();
    let mut strings = Vec::with_capacity(count);
    while strings.len() < count {
        let text = dice.string();
        if seen.insert(text.clone()) {
            strings.push(text);
        }
    }
    strings
}

/// What is thrown together: characters and words that mean something to a parser, a pattern, a terminal, a font.
const PARTS: &[&str] = &[
    "'",
    "''",
    "\"",
    "`",
    "\\",
    "\\\\",
    "\\'",
    ";",
    "--",
    "-- ",
    "/*",
    "*/",
    "/*!",
    "#",
    "$1",
    "$$",
    "$tag$",
    "?",
    "?1",
    ":a",
    ":1",
    "@b",
    "@@version",
    "%",
    "_",
    "%_",
    "!",
    "!%",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ",",
    "=",
    "<>",
    "||",
    "\0",
    "\u{1}",
    "\u{7}",
    "\u{8}",
    "\t",
    "\n",
    "\r\n",
    "\u{b}",
    "\u{1a}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "\u{301}",
    "\u{20dd}",
    "\u{200b}",
    "\u{200d}",
    "\u{200e}",
    "\u{200f}",
    "\u{2028}",
    "\u{202e}",
    "\u{2066}",
    "\u{feff}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{1f980}",
    "\u{1f468}\u{200d}\u{1f469}",
    "\u{1d11e}",
    "\u{10ffff}",
    "\u{130}",
    "\u{131}",
    "\u{df}",
    "\u{1e9e}",
    "\u{fb01}",
    "\\ud83d",
    "\\udc00",
    "\\u0000",
    "\\x00",
    "\\0",
    "\\n",
    "&#39;",
    "%27",
    "%00",
    "NULL",
    "null",
    "true",
    "0",
    "-1",
    "1e309",
    "NaN",
    "0x41",
    "X'41'",
    "E'",
    "N'",
    "U&'",
    " OR 1=1",
    "' OR ''='",
    "); DROP TABLE scrolls; --",
    "UNION SELECT name FROM seals",
    "INSERT INTO",
    "COMMIT;",
    "BEGIN",
    "SELECT pg_sleep(9)",
    "SLEEP(9)",
    "LOAD_FILE('/etc/passwd')",
    "ATTACH 'x' AS y",
    "PRAGMA",
    "COPY t TO PROGRAM 'id'",
    "DELIMITER //",
    "covet",
    "scrolls",
    "text",
    "a",
    "Z",
    " ",
    "  ",
    "é",
    "ж",
    "中",
    "א",
    "ع",
];

/// Makes strings of chance; the same seed makes the same ones.
struct Dice(Chance);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0.below(most)
    }

    fn part(&mut self) -> &'static str {
        PARTS[self.below(PARTS.len())]
    }

    fn string(&mut self) -> String {
        match self.below(100) {
            // Any characters at all.
            0..20 => (0..=self.below(40)).filter_map(|_| char::from_u32(self.below(0x11_0000) as u32)).collect(),
            // The first characters only, where most of the meaning is.
            20..35 => (0..=self.below(30)).map(|_| char::from(self.below(128) as u8)).collect(),
            // One thing over and over, some of it long.
            35..40 => self.part().repeat(1 + self.below(60)),
            40 => self.part().repeat(1 + self.below(6000)),
            _ => (0..=self.below(12)).map(|_| self.part()).collect(),
        }
    }
}
