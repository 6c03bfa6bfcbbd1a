//! Runs the rules over a script, and weighs what they find.

use covet_drivers::contract::{Step, nearest};
use covet_drivers::lint::{Hit, Lint, Rule};
use covet_drivers::{Error, ErrorKind, Result};

use crate::lint::finding::Finding;
use crate::lint::of;
use crate::lint::rules::{NEUTRAL, UNUSED};
use crate::lint::script::Script;
use crate::migrate::{Place, Target};

/// The rules for a kind of database.
pub(super) struct Engine {
    target: Target,
    lint: &'static dyn Lint,
}

impl Engine {
    pub(super) fn new(target: &Target) -> Result<Self> {
        Ok(Engine { target: *target, lint: of(target)? })
    }

    pub(super) fn lint(&self) -> &'static dyn Lint {
        self.lint
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Every rule, the neutral ones first.
    pub(super) fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        NEUTRAL.iter().chain(self.lint.rules())
    }

    /// What is found in a script, in the order of its statements.
    pub(super) fn findings(&self, script: &Script) -> Result<Vec<Finding>> {
        let steps = script.steps(&self.target)?;
        self.known(script, &steps)?;
        let mut hits: Vec<(&'static Rule, Hit)> = Vec::new();
        for reading in self.lint.readings() {
            let scene = script.scene(&steps, &self.target, self.lint, reading)?;
            for rule in self.rules() {
                for hit in rule.hits(&scene) {
                    // What every product reads alike is found once.
                    let twin = hits.iter().any(|(known, other)| known.id == rule.id && *other == hit);
                    if !twin {
                        hits.push((rule, hit));
                    }
                }
            }
        }
        let findings = self.weigh(script, &steps, hits);
        Ok(self.with_unused(script, &steps, findings))
    }

    /// Leaves out what a rule that says more covers, and marks what is allowed.
    pub(super) fn weigh(
        &self,
        script: &Script,
        steps: &[(Step, Place)],
        hits: Vec<(&'static Rule, Hit)>,
    ) -> Vec<Finding> {
        let covered = |rule: &Rule, hit: &Hit| {
            hits.iter().any(|(other, at)| {
                other.covers.contains(&rule.id) && at.statement == hit.statement && at.table == hit.table
            })
        };
        let kept = hits.iter().filter(|(rule, hit)| !covered(rule, hit));
        let mut findings: Vec<Finding> = kept.map(|(rule, hit)| self.finding(script, steps, rule, hit)).collect();
        findings.sort_by(|a, b| (a.statement, b.severity, a.rule).cmp(&(b.statement, a.severity, b.rule)));
        findings
    }

    fn finding(&self, script: &Script, steps: &[(Step, Place)], rule: &Rule, hit: &Hit) -> Finding {
        let place = steps.get(hit.statement).map(|(_, place)| place);
        let allow = place.and_then(|place| place.allows.iter().find(|allow| allow.id == rule.id));
        Finding {
            migration: script.migration.clone(),
            database: self.target.name(),
            file: script.file.clone(),
            line: place.map_or(1, |place| place.line),
            statement: hit.statement + 1,
            table: Some(hit.table.clone()).filter(|table| !table.is_empty()),
            message: hit.message.clone(),
            allowed: allow.map(|allow| allow.reason.clone()),
            ..Finding::of(rule)
        }
    }

    /// Every allow names a rule.
    fn known(&self, script: &Script, steps: &[(Step, Place)]) -> Result<()> {
        for (_, place) in steps {
            for allow in &place.allows {
                if self.rules().all(|rule| rule.id != allow.id) {
                    let (id, line) = (&allow.id, place.line);
                    let error = Error::new(
                        ErrorKind::Migration,
                        format!("{}:{line}: the statement is allowed {id}, which is no rule", script.file),
                    );
                    return Err(match nearest(id, self.rules().map(|rule| rule.id)) {
                        Some(meant) => error.with_help(format!("did you mean {meant}?")),
                        None => error.with_help("the ids stand in the documents, and in front of each finding"),
                    });
                }
            }
        }
        Ok(())
    }

    /// Adds a finding for each allow that allows nothing. What only a server can tell may be there or not.
    fn with_unused(&self, script: &Script, steps: &[(Step, Place)], mut findings: Vec<Finding>) -> Vec<Finding> {
        let Some(rule) = NEUTRAL.iter().find(|rule| rule.id == UNUSED) else { return findings };
        let mut unused = Vec::new();
        for (index, (_, place)) in steps.iter().enumerate() {
            for allow in &place.allows {
                let used = findings.iter().any(|found| found.rule == allow.id && found.statement == index + 1);
                let live = self
                    .rules()
                    .any(|rule| rule.id == allow.id && matches!(rule.check, covet_drivers::lint::Check::Live(_)));
                if !used && !live && allow.id != UNUSED {
                    let hit = Hit::new(index, "", format!("{} is allowed, and not found", allow.id));
                    unused.push(self.finding(script, steps, rule, &hit));
                }
            }
        }
        findings.extend(unused);
        findings.sort_by_key(|found| found.statement);
        findings
    }
}
