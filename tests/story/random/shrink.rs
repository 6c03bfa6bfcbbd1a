//! Makes a pair that fails smaller, part by part, as long as it fails alike.

use covet_orm::drivers::catalog::{Schema, Table};
use covet_orm::schema::Decision;

use crate::random::answer::Answers;
use crate::random::edit::{forget_readers, settle};
use crate::random::make::Maker;
use crate::random::names::sound;
use crate::random::pair::Pair;

/// Every pair that lacks one thing more, the largest things first.
pub(crate) fn smaller(maker: &mut Maker<'_>, pair: &Pair) -> Vec<Pair> {
    let mut found = Vec::new();
    let mut try_it = |maker: &mut Maker<'_>, change: &dyn Fn(&mut Pair)| {
        let mut next = pair.clone();
        change(&mut next);
        settle(&mut next.before);
        settle(&mut next.after);
        next.before.sort();
        next.after.sort();
        next.rows.retain_mut(|row| {
            let Some(table) = next.before.table(&row.table) else { return false };
            row.cells.retain(|(name, _)| table.column(name).is_some());
            !row.cells.is_empty()
        });
        next.answers = answers(maker, &next);
        let changed = next.before != pair.before || next.after != pair.after || next.rows.len() != pair.rows.len();
        let holds = |schema: &Schema| sound(schema) && maker.ddl.check(schema).is_ok();
        if changed && holds(&next.before) && (holds(&next.after) || !holds(&pair.after)) {
            found.push(next);
        }
    };
    if !pair.rows.is_empty() {
        try_it(maker, &|pair| pair.rows.clear());
        for at in 0..pair.rows.len() {
            try_it(maker, &|pair| {
                pair.rows.remove(at);
            });
        }
    }
    for table in &pair.before.tables {
        let new = renamed_table(pair, &table.name);
        try_it(maker, &|pair| {
            drop_table(&mut pair.before, &table.name);
            drop_table(&mut pair.after, &new);
        });
        for column in &table.columns {
            let name = renamed_column(pair, &new, &column.name);
            try_it(maker, &|pair| {
                drop_column(&mut pair.before, &table.name, &column.name);
                drop_column(&mut pair.after, &new, &name);
            });
            try_it(maker, &|pair| {
                if let Some(after) = pair.after.table(&new).and_then(|table| table.column(&name)).cloned() {
                    on_column(&mut pair.before, &table.name, &column.name, |before| {
                        before.default.clone_from(&after.default);
                        before.comment.clone_from(&after.comment);
                        before.nullable = after.nullable;
                    });
                }
            });
        }
    }
    for (which, schema) in [(0, &pair.before), (1, &pair.after)] {
        for (at, table) in schema.tables.iter().enumerate() {
            let on = |pair: &mut Pair, change: &dyn Fn(&mut Table)| {
                let schema = if which == 0 { &mut pair.before } else { &mut pair.after };
                change(&mut schema.tables[at]);
            };
            try_it(maker, &|pair| drop_table(if which == 0 { &mut pair.before } else { &mut pair.after }, &table.name));
            for (n, index) in table.indexes.iter().enumerate() {
                try_it(maker, &|pair| {
                    on(pair, &|table| {
                        table.indexes.remove(n);
                    })
                });
                // On both sides.
                try_it(maker, &|pair| {
                    for schema in [&mut pair.before, &mut pair.after] {
                        for table in &mut schema.tables {
                            table.indexes.retain(|other| other.name != index.name);
                        }
                    }
                });
            }
            for (n, check) in table.checks.iter().enumerate() {
                try_it(maker, &|pair| {
                    on(pair, &|table| {
                        table.checks.remove(n);
                    })
                });
                try_it(maker, &|pair| {
                    for schema in [&mut pair.before, &mut pair.after] {
                        for table in &mut schema.tables {
                            table.checks.retain(|other| other.name != check.name);
                        }
                    }
                });
            }
            for (n, key) in table.foreign_keys.iter().enumerate() {
                try_it(maker, &|pair| {
                    on(pair, &|table| {
                        table.foreign_keys.remove(n);
                    })
                });
                try_it(maker, &|pair| {
                    for schema in [&mut pair.before, &mut pair.after] {
                        for table in &mut schema.tables {
                            table.foreign_keys.retain(|other| other.name != key.name);
                        }
                    }
                });
            }
            try_it(maker, &|pair| on(pair, &|table| table.comment = None));
            for (n, column) in table.columns.iter().enumerate() {
                try_it(maker, &|pair| {
                    let schema = if which == 0 { &mut pair.before } else { &mut pair.after };
                    drop_column(schema, &table.name, &column.name);
                });
                try_it(maker, &|pair| on(pair, &|table| table.columns[n].default = None));
                try_it(maker, &|pair| on(pair, &|table| table.columns[n].comment = None));
                try_it(maker, &|pair| on(pair, &|table| table.columns[n].generated = None));
                try_it(maker, &|pair| on(pair, &|table| table.columns[n].case_insensitive = false));
                try_it(maker, &|pair| on(pair, &|table| table.columns[n].auto = false));
            }
            try_it(maker, &|pair| on(pair, &|table| table.primary_key.clear()));
        }
    }
    found
}

fn answers(maker: &mut Maker<'_>, pair: &Pair) -> Answers {
    let mut prior = pair.answers.clone();
    prior.renames.retain(|decision| match decision {
        Decision::RenameTable { from, to } => pair.before.table(from).is_some() && pair.after.table(to).is_some(),
        Decision::RenameColumn { table, from, to } => {
            let old = pair.answers.renames.iter().find_map(|decision| match decision {
                Decision::RenameTable { from, to } if to == table => Some(from),
                _ => None,
            });
            let old = pair.before.table(old.unwrap_or(table));
            old.is_some_and(|old| old.column(from).is_some())
                && pair.after.table(table).is_some_and(|new| new.column(to).is_some())
        }
        _ => true,
    });
    maker.decide(&pair.before, &pair.after, &prior)
}

fn renamed_table(pair: &Pair, name: &str) -> String {
    let renamed = pair.answers.renames.iter().find_map(|decision| match decision {
        Decision::RenameTable { from, to } if from == name => Some(to.clone()),
        _ => None,
    });
    renamed.unwrap_or_else(|| name.to_owned())
}

fn renamed_column(pair: &Pair, table: &str, name: &str) -> String {
    let renamed = pair.answers.renames.iter().find_map(|decision| match decision {
        Decision::RenameColumn { table: own, from, to } if own == table && from == name => Some(to.clone()),
        _ => None,
    });
    renamed.unwrap_or_else(|| name.to_owned())
}

fn drop_table(schema: &mut Schema, name: &str) {
    schema.tables.retain(|table| table.name != name);
}

fn drop_column(schema: &mut Schema, table: &str, column: &str) {
    if schema.table(table).is_some_and(|table| table.column(column).is_some()) {
        forget_readers(schema, table, column, true);
        for own in schema.tables.iter_mut().filter(|own| own.name == table) {
            own.columns.retain(|other| other.name != column);
        }
    }
}

fn on_column(
    schema: &mut Schema,
    table: &str,
    column: &str,
    change: impl Fn(&mut covet_orm::drivers::catalog::Column),
) {
    for own in schema.tables.iter_mut().filter(|own| own.name == table) {
        own.columns.iter_mut().filter(|other| other.name == column).for_each(&change);
    }
}
