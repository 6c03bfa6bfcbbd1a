//! Text: how it compares, sorts and matches; the same on every database.

use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::{Setting, Word};
use covet_tests::{Kind, TestDb, on_each_database};

async fn put(db: &TestDb, texts: &[&str]) -> covet_orm::Result<()> {
    for text in texts {
        Setting::create().name(*text).value("v").exec(db).await?;
    }
    Ok(())
}

async fn matching(db: &TestDb, condition: Expr<Setting, bool>) -> covet_orm::Result<Vec<String>> {
    Setting::query().filter(condition).order_by(Setting::name.asc()).select(Setting::name).all(db).await
}

/// Texts that a database might not treat as values.
const HOSTILE: &[&str] = &[
    "'",
    "\"",
    "`",
    "\\",
    "\\'",
    "''",
    "';--",
    "'; DROP TABLE users; --",
    "$1",
    "?",
    "%s",
    "{}",
    "$$",
    "/*",
    "--",
    "#",
    "\u{feff}",
    "\u{202e}",
    "e\u{301}",
    "🦀",
    "\u{10ffff}",
    "\t\n\r",
    "%",
    "_",
    "!",
    "!%",
    "NULL",
    "\\x00",
    "\\0",
    "0x41",
];

on_each_database! {
    async fn text_is_compared_by_code_point(db: &TestDb) -> Outcome {
        put(db, &["a", "A", "á", "a ", " a", "ä", "Z", "z", "ß", "ss", ""]).await?;
        assert_eq!(matching(db, Setting::name.eq("a")).await?, ["a"], "neither case nor accent nor trailing blank");
        assert_eq!(matching(db, Setting::name.eq("a ")).await?, ["a "]);
        assert_eq!(matching(db, Setting::name.eq("ss")).await?, ["ss"]);
        assert_eq!(matching(db, Setting::name.gt("Z") & Setting::name.lt("b")).await?, ["a", "a "]);
        Ok(())
    }

    async fn text_sorts_by_code_point(db: &TestDb) -> Outcome {
        let mut texts = ["b", "a", "B", "A", "á", "a ", "Z", "ä", "é", "e", "10", "9", "_", "🦀", "\u{ffff}", ""];
        put(db, &texts).await?;
        texts.sort_unstable();
        assert_eq!(matching(db, Expr::constant(true)).await?, texts);
        Ok(())
    }

    async fn uniqueness_is_by_code_point(db: &TestDb) -> Outcome {
        put(db, &["a", "A", "a ", "á", "a\u{301}"]).await?;
        let error = put(db, &["a "]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unique);
        Ok(())
    }

    async fn patterns_follow_the_column(db: &TestDb) -> Outcome {
        put(db, &["Straße", "straße", "100%", "100", "a_b", "axb", "wow!", "É", "é"]).await?;
        assert_eq!(matching(db, Setting::name.like("s%")).await?, ["straße"], "case matters");
        assert_eq!(matching(db, Setting::name.like("É")).await?, ["É"], "and not only in ASCII");
        assert_eq!(matching(db, Setting::name.like("_")).await?, ["É", "é"], "one character, not one byte");
        assert_eq!(matching(db, Setting::name.contains("0%")).await?, ["100%"]);
        assert_eq!(matching(db, Setting::name.contains("_")).await?, ["a_b"]);
        assert_eq!(matching(db, Setting::name.like("a_b")).await?, ["a_b", "axb"]);
        assert_eq!(matching(db, Setting::name.like("a!_b")).await?, ["a_b"]);
        assert_eq!(matching(db, Setting::name.ends_with("!")).await?, ["wow!"]);
        assert_eq!(matching(db, Setting::name.starts_with("Str")).await?, ["Straße"]);
        assert_eq!(matching(db, Setting::name.starts_with("")).await?.len(), 9);
        put(db, &["\u{10ffff}", "\u{10ffff}x", "\u{d7ff}x", "\u{e000}"]).await?;
        assert_eq!(matching(db, Setting::name.starts_with("\u{10ffff}")).await?, ["\u{10ffff}", "\u{10ffff}x"]);
        assert_eq!(matching(db, Setting::name.starts_with("\u{d7ff}")).await?, ["\u{d7ff}x"]);
        Setting::query().filter(Setting::name.ge("\u{d000}")).delete().exec(db).await?;
        assert_eq!(matching(db, Setting::name.contains("")).await?.len(), 9);
        assert_eq!(matching(db, !Setting::name.contains("a")).await?, ["100", "100%", "wow!", "É", "é"]);
        Ok(())
    }

    async fn hostile_text_is_a_value_and_nothing_else(db: &TestDb) -> Outcome {
        put(db, HOSTILE).await?;
        for text in HOSTILE {
            assert_eq!(matching(db, Setting::name.eq(*text)).await?, [*text]);
            assert_eq!(Setting::find(*text).one(db).await?.name, *text);
            let all = matching(db, Setting::name.contains(text)).await?;
            assert!(all.iter().any(|name| name == text), "{text:?} contains itself");
            assert!(all.iter().all(|name| name.contains(text)), "{text:?} matched {all:?}");
        }
        assert_eq!(Setting::query().count(db).await?, HOSTILE.len() as u64);
        assert_eq!(Setting::query().filter(Setting::name.is_in(HOSTILE.iter().copied())).count(db).await?, HOSTILE.len() as u64);
        Ok(())
    }

    async fn a_column_without_case(db: &TestDb) -> Outcome {
        let words = [("a", "Äpfel"), ("A", "apfel"), ("a ", "apfel "), ("b", "ÉCOLE"), ("c", "ecole")];
        for (exact, folded) in words {
            Word::create().exact(exact).folded(folded).exec(db).await?;
        }
        let by = async |condition| -> covet_orm::Result<Vec<String>> {
            let mut found = Word::query().filter(condition).select(Word::folded).all(db).await?;
            found.sort_unstable();
            Ok(found)
        };
        assert_eq!(by(Word::folded.eq("APFEL")).await?, ["apfel"], "accents and trailing blanks count, case does not");
        assert_eq!(by(Word::folded.eq("äPFEL")).await?, ["Äpfel"]);
        assert_eq!(by(Word::folded.eq("école")).await?, ["ÉCOLE"]);
        assert_eq!(by(Word::folded.like("É%")).await?, ["ÉCOLE"]);
        assert_eq!(by(Word::folded.starts_with("APF")).await?, ["apfel", "apfel "]);
        assert_eq!(by(Word::exact.eq("A")).await?, ["apfel"]);
        let error = Word::create().exact("d").folded("École").exec(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unique, "{error}");
        assert_eq!(Word::find_by_folded("ecole").one(db).await?.exact, "c");
        Ok(())
    }

    async fn nul_and_length(db: &TestDb) -> Outcome {
        let nul = Setting::create().name("a\0b").value("v").exec(db).await;
        if db.kind() != Kind::Mysql {
            let error = nul.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        } else {
            assert_eq!(nul?.name, "a\0b");
            assert_eq!(Setting::find("a\0b").one(db).await?.name, "a\0b");
        }
        let most = "é".repeat(100);
        put(db, &[most.as_str()]).await?;
        assert_eq!(Setting::find(most.as_str()).one(db).await?.name, most);
        let error = put(db, &["é".repeat(101).as_str()]).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::OutOfRange, Some("Setting"), Some("name")), "{error}");
        // MySQL would cut the blanks off and say nothing.
        let blanks = format!("{}  ", "a".repeat(99));
        assert_eq!(put(db, &[blanks.as_str()]).await.unwrap_err().kind(), ErrorKind::OutOfRange);
        assert_eq!(Setting::query().filter(Setting::name.eq(blanks.as_str())).count(db).await?, 0, "asking is allowed");
        let mut setting = Setting::find(most.as_str()).one(db).await?;
        setting.value = "w".into();
        setting.save(db).await?;
        let mut word = Word::create().exact("e").folded("f").exec(db).await?;
        word.exact = blanks;
        assert_eq!(word.save(db).await.unwrap_err().kind(), ErrorKind::OutOfRange);
        let error = Word::query().update().set(Word::exact, "x".repeat(101)).exec(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfRange);
        // Whoever writes past Covet meets the database's own limit.
        let raw = db.raw(&format!("INSERT INTO settings (name, value) VALUES ('{}', 'v')", "x".repeat(101))).await.unwrap_err();
        assert!(matches!(raw.kind(), ErrorKind::OutOfRange | ErrorKind::Check), "{raw}: {:?}", raw.kind());
        Ok(())
    }
}
