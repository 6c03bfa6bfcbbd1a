//! Rules that ask a running server.

use covet_drivers::Result;
use covet_drivers::lint::{Check, Hit, Rule};

use crate::db::Db;
use crate::lint::engine::Engine;
use crate::lint::finding::Finding;
use crate::lint::script::Script;

/// What they find about the scripts. A finding about the server alone is told once, with the last script.
pub(super) async fn findings(engine: &Engine, scripts: &[Script], db: &Db) -> Result<Vec<Finding>> {
    let mut lease = db.acquire().await?;
    let mut told: Vec<(&'static str, Hit)> = Vec::new();
    let mut findings = Vec::new();
    let Some(reading) = engine.lint().readings().first() else { return Ok(findings) };
    for script in scripts.iter().rev() {
        let steps = script.steps(engine.target())?;
        let scene = script.scene(&steps, engine.target(), engine.lint(), reading)?;
        let mut hits: Vec<(&'static Rule, Hit)> = Vec::new();
        for rule in engine.rules() {
            let Check::Live(look) = rule.check else { continue };
            for hit in look(&mut *lease, &scene).await? {
                let known = hit.table.is_empty() && told.contains(&(rule.id, hit.clone()));
                if !known {
                    told.push((rule.id, hit.clone()));
                    hits.push((rule, hit));
                }
            }
        }
        findings.splice(0..0, engine.weigh(script, &steps, hits));
    }
    Ok(findings)
}
