//! What these servers do not have, and what is better left in the past.

use crate::lint::{
    Check, ColumnDef, Hit, IndexDef, Rule, Severity, TableDef, Token, TokenKind, What, mentions, mentions_table,
};

pub(super) const MA16: Rule = Rule {
    id: "MA16",
    severity: Severity::Error,
    title: "what the server does not have",
    trigger: "A partial index, `INCLUDE`, `DEFERRABLE`, an array; an index over an expression, which MariaDB does not have.",
    effect: "Refused; what came before in the file is done by then.",
    safer: "A virtual column with an index on it.",
    covers: &[],
    check: Check::Any(|at| {
        let index = |index: &IndexDef| {
            if index.partial {
                Some("an index with a condition")
            } else if index.include {
                Some("INCLUDE")
            } else {
                index.terms.iter().any(|term| term.column.is_none()).then_some("an index over an expression")
            }
        };
        let column = |column: &ColumnDef| {
            let late = column.constraints.iter().any(|constraint| constraint.deferrable);
            if column.ty.array { Some("an array") } else { late.then_some("DEFERRABLE") }
        };
        let what = match &at.act.what {
            What::CreateIndex(found) => index(found),
            What::AddConstraint(found) => found.deferrable.then_some("DEFERRABLE"),
            What::AddColumn(found) => column(found),
            What::CreateTable(table) => {
                let late = table.constraints.iter().any(|constraint| constraint.deferrable).then_some("DEFERRABLE");
                late.or_else(|| table.columns.iter().find_map(column)).or_else(|| table.indexes.iter().find_map(index))
            }
            _ => None,
        }?;
        Some(format!("{what} is not to be had on every server of this kind"))
    }),
    fires: &[
        "CREATE INDEX i ON users (age) WHERE age > 0",
        "CREATE INDEX i ON users ((lower(email)))",
        "ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (id) DEFERRABLE",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, tags text[])",
    ],
    silent: &["CREATE INDEX i ON users (age, email(20))"],
};

pub(super) const MA20: Rule = Rule {
    id: "MA20",
    severity: Severity::Warn,
    title: "what is better left in the past",
    trigger: "`utf8` (three bytes), display widths, `ZEROFILL`, `float(m, d)`, zero dates, MyISAM, names in mixed case, in SQL written by hand.",
    effect: "Texts that do not fit, numbers that look other than they are, dates that no client reads, tables without transactions, names that differ by operating system.",
    safer: "utf8mb4, plain types, NULL, InnoDB, names in lower case.",
    covers: &[],
    check: Check::Script(|scene| {
        let mut hits = Vec::new();
        for statement in scene.statements.iter().filter(|statement| !statement.generated && !statement.guard) {
            for act in &statement.read.acts {
                let columns: Vec<&ColumnDef> = match &act.what {
                    What::AddColumn(column) | What::Redefine { def: column, .. } => vec![column],
                    What::CreateTable(table) => table.columns.iter().collect(),
                    _ => Vec::new(),
                };
                let mut found: Vec<String> = columns.into_iter().filter_map(past).collect();
                match &act.what {
                    What::CreateTable(table) => found.extend(old_table(table, &act.table)),
                    What::How { word, value } if word == "engine" && value != "innodb" => {
                        found.push(format!("the engine {value} has no transactions"));
                    }
                    What::How { word, value } if word == "convert" && is_old_charset(value) => {
                        found.push(old_charset(value))
                    }
                    _ => {}
                }
                hits.extend(found.into_iter().map(|message| Hit::new(statement.index, &act.table, message)));
            }
        }
        hits
    }),
    fires: &[
        "CREATE TABLE fresh (id int(11) PRIMARY KEY) ENGINE=MyISAM",
        "CREATE TABLE Fresh (id bigint PRIMARY KEY)",
        "ALTER TABLE users ADD COLUMN d date NOT NULL DEFAULT '0000-00-00'",
        "ALTER TABLE users ADD COLUMN t varchar(9) CHARACTER SET utf8",
    ],
    silent: &[
        "CREATE TABLE fresh (id bigint PRIMARY KEY, yes tinyint(1), t varchar(9) CHARACTER SET utf8mb4) ENGINE=InnoDB",
    ],
};

fn past(column: &ColumnDef) -> Option<String> {
    let ty = &column.ty;
    let integer =
        ["int", "integer", "bigint", "smallint", "mediumint", "tinyint"].iter().any(|name| ty.name.starts_with(name));
    let width = ty.args.first().is_some_and(|width| !(ty.name == "tinyint" && width == "1"));
    let zero = column
        .default
        .as_deref()
        .unwrap_or_default()
        .iter()
        .any(|token| token.kind == TokenKind::Text && token.text.starts_with("0000-00-00"));
    let what = if integer && width {
        String::from("has a display width, which limits nothing")
    } else if ty.name.contains("zerofill") {
        String::from("is ZEROFILL, which changes what is shown")
    } else if (ty.name == "float" || ty.name == "double") && ty.args.len() > 1 {
        String::from("rounds: `decimal` is exact")
    } else if zero {
        String::from("has a date as default that is none")
    } else if column.collation.as_deref().is_some_and(is_old_charset) {
        old_charset(column.collation.as_deref().unwrap_or_default())
    } else {
        return None;
    };
    Some(format!("{} {what}", column.name))
}

fn is_old_charset(name: &str) -> bool {
    let name = name.to_lowercase();
    name == "utf8" || name.starts_with("utf8_") || name.starts_with("utf8mb3") || name.starts_with("latin1")
}

fn old_charset(name: &str) -> String {
    format!("{name} cannot hold every text")
}

fn old_table(table: &TableDef, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let after = |word: &str| {
        let at = table.options.iter().position(|token| token.is(word))?;
        table.options.iter().skip(at + 1).find_map(Token::name)
    };
    if let Some(engine) = after("engine").filter(|engine| !engine.eq_ignore_ascii_case("innodb")) {
        found.push(format!("the engine {engine} has no transactions"));
    }
    if let Some(charset) =
        ["charset", "set", "collate"].iter().filter_map(|word| after(word)).find(|name| is_old_charset(name))
    {
        found.push(old_charset(charset));
    }
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        found.push(String::from("whether its name is known in other cases depends on the operating system"));
    }
    found
}

pub(super) const MA21: Rule = Rule {
    id: "MA21",
    severity: Severity::Warn,
    title: "a view reads what goes or gets another name",
    trigger: "A table or column that is renamed or dropped, and a view of an earlier migration whose text names it.",
    effect: "The change is accepted, and the view fails when it is next read (1356).",
    safer: "Create the view again, with `CREATE OR REPLACE VIEW`, behind the change.",
    covers: &[],
    check: Check::Act(|at| {
        let name = match &at.act.what {
            What::RenameTable { .. } | What::DropTable { .. } => at.table(),
            What::RenameColumn { from, .. } => from,
            What::DropColumn { column, .. } => column,
            _ => return None,
        };
        let view = at.scene.earlier.iter().find(|known| {
            known.table.is_empty() && mentions_table(&known.body, at.table()) && mentions(&known.body, name)
        })?;
        let made_again = at.scene.acts_after(at.statement.index).any(|(_, act)| {
            matches!(&act.what, What::CreateView { name, .. } | What::DropView { name, .. } if *name == view.name)
        });
        (!made_again).then(|| format!("the view {} reads {name}", view.name))
    }),
    fires: &["-- earlier: CREATE VIEW adults AS SELECT age FROM users\nALTER TABLE users RENAME COLUMN age TO years"],
    silent: &[
        "ALTER TABLE users RENAME COLUMN age TO years",
        "-- earlier: CREATE VIEW adults AS SELECT age FROM users\n\
         ALTER TABLE users RENAME COLUMN age TO years;\nCREATE OR REPLACE VIEW adults AS SELECT years FROM users",
        "-- earlier: CREATE VIEW adults AS SELECT age FROM users\nALTER TABLE users RENAME COLUMN bio TO text",
    ],
};
