//! The rules that hold on every database.

mod breaking;
mod data;
mod loss;
mod quality;
mod steps;

use covet_drivers::catalog::Change;
use covet_drivers::lint::{Act, Check, Rule, Scene, Severity, What, same};

/// The rules, in the order of the document.
pub(super) static NEUTRAL: &[Rule] = &[
    loss::DST01,
    loss::DST02,
    loss::DST03,
    loss::DST04,
    loss::DST05,
    loss::DST06,
    loss::DST07,
    loss::DST08,
    loss::DST09,
    data::DAT01,
    data::DAT02,
    data::DAT03,
    data::DAT04,
    data::DAT05,
    breaking::BRK01,
    breaking::BRK02,
    breaking::BRK03,
    quality::SYS01,
    quality::SYS02,
    steps::SYS03,
    steps::SYS04,
    steps::SYS05,
    steps::SYS06,
    quality::SYS07,
    steps::SYS08,
    SYS09,
];

/// The id of the finding about an allow without a finding.
pub(super) const UNUSED: &str = "SYS09";

const SYS09: Rule = Rule {
    id: UNUSED,
    severity: Severity::Warn,
    title: "an allow that allows nothing",
    trigger: "A line `-- covet:allow ID reason` above a statement in which the rule finds nothing.",
    effect: "None; but the next reader looks for what is not there, and a later finding would be allowed unseen.",
    safer: "Take the line away.",
    covers: &[],
    // The engine finds it, once all other rules have spoken.
    check: Check::Script(|_| Vec::new()),
    fires: &["-- covet:allow DST01 nobody uses it\nSELECT 1"],
    silent: &["-- covet:allow DST01 nobody uses it\nDROP TABLE logs"],
};

/// The changes of tables that are rebuilt: no statement says them one by one.
fn rebuilt<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = (usize, &'a Change)> {
    scene.changes.iter().filter_map(|change| {
        let table = change.table()?;
        let rebuild = scene.rebuilds.iter().find(|rebuild| same(&rebuild.table, table))?;
        Some((rebuild.fill, change))
    })
}

/// Columns that go, with the statement and table.
fn dropped_columns(scene: &Scene<'_>) -> Vec<(usize, String, String)> {
    let mut found: Vec<(usize, String, String)> = Vec::new();
    for (index, act) in scene.acts() {
        if let What::DropColumn { column, .. } = &act.what
            && !scene.is_new(&act.table, index)
        {
            found.push((index, act.table.clone(), column.clone()));
        }
    }
    for (index, change) in rebuilt(scene) {
        if let Change::DropColumn { table, column } = change
            && !found.iter().any(|(_, known, name)| same(known, table) && same(name, &column.name))
        {
            found.push((index, table.clone(), column.name.clone()));
        }
    }
    found
}

/// Whether the act is the end of the old table in a rebuild.
fn is_part_of_rebuild(scene: &Scene<'_>, index: usize, act: &Act) -> bool {
    scene.rebuilds.iter().any(|rebuild| match &act.what {
        What::DropTable { .. } => rebuild.drop == index,
        What::RenameTable { .. } => rebuild.rename == index,
        _ => false,
    })
}
