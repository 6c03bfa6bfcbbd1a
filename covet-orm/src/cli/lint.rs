//! `cargo covet migrate lint`: what can go wrong with the migrations.

use covet_drivers::{Error, ErrorKind, Result};
use serde_json::json;

use crate::cli::args::Database;
use crate::cli::config::Project;
use crate::cli::context::{Access, Context};
use crate::cli::out::Out;
use crate::cli::wait;
use crate::lint::{Finding, Severity, lint_draft, lint_last, lint_live, neutral_rules, rules_of, section};
use crate::migrate::{Draft, Folder, Target};

#[derive(Debug, clap::Args)]
pub(super) struct Lint {
    #[command(flatten)]
    database: Database,

    /// Look only at the files of this kind of database
    #[arg(long = "for", value_name = "KIND")]
    kinds: Vec<String>,

    /// Look only at the last migrations
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    last: usize,

    /// Fail on findings of this severity and above: info, warn, error
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = severity)]
    deny: Severity,

    /// Ask the database too; --url and --database say so as well
    #[arg(long)]
    live: bool,

    /// Show also what is good to know, and what is allowed
    #[arg(long)]
    all: bool,

    /// Say what a rule is about, and do nothing else
    #[arg(long, value_name = "ID")]
    explain: Option<String>,
}

fn severity(text: &str) -> std::result::Result<Severity, String> {
    let all = [Severity::Info, Severity::Warn, Severity::Error];
    all.into_iter().find(|known| known.name() == text).ok_or_else(|| String::from("it is info, warn or error"))
}

/// Shows the findings; some that are denied are an error.
pub(super) fn lint(context: &Context, args: &Lint) -> Result<()> {
    let project = context.project()?;
    let targets = targets(project, &args.kinds)?;
    if let Some(id) = &args.explain {
        return explain(context, id, &targets);
    }
    let folder = Folder::read(project.migrations())?;
    let mut findings = Vec::new();
    for target in &targets {
        findings.extend(lint_last(&folder, target, args.last)?);
    }
    if args.live || args.database.url.is_some() || args.database.database.is_some() {
        let chosen = context.database(&args.database)?;
        wait(async {
            let db = context.connect(&chosen, Access::Read).await?;
            findings.extend(lint_live(&folder, &db, args.last).await?);
            Ok(())
        })?;
    }
    context.out.json(&json!({ "findings": findings }))?;
    show(&context.out, &findings, args.all);
    let denied = findings.iter().filter(|finding| finding.counts(args.deny)).count();
    if denied > 0 {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("lint found {denied} of severity {} or above", args.deny),
        )
        .with_help("change the SQL, or write `-- covet:allow ID reason` above the statement"));
    }
    Ok(())
}

fn targets(project: &Project, names: &[String]) -> Result<Vec<Target>> {
    let names = if names.is_empty() { project.databases() } else { names };
    names.iter().map(|name| Target::named(name)).collect()
}

fn explain(context: &Context, id: &str, targets: &[Target]) -> Result<()> {
    let mut rules: Vec<_> = neutral_rules().iter().collect();
    for target in targets {
        rules.extend(rules_of(target)?);
    }
    let rule = rules.into_iter().find(|rule| rule.id.eq_ignore_ascii_case(id)).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("there is no rule {id} for the databases of this project"))
    })?;
    context.out.raw(section(rule).trim());
    Ok(())
}

fn show(out: &Out, findings: &[Finding], all: bool) {
    let least = if all { Severity::Info } else { Severity::Warn };
    let shown = |finding: &&Finding| all || finding.counts(least);
    for finding in findings.iter().filter(shown) {
        out.line(finding);
    }
    let count =
        |severity| findings.iter().filter(|found| found.allowed.is_none() && found.severity == severity).count();
    let (errors, warnings, infos) = (count(Severity::Error), count(Severity::Warn), count(Severity::Info));
    let allowed = findings.iter().filter(|finding| finding.allowed.is_some()).count();
    out.done(format_args!("{errors} errors, {warnings} warnings, {infos} good to know, {allowed} allowed"));
}

/// What the rules find in a migration before it is written.
pub(super) fn of_draft(project: &Project, draft: &Draft) -> Result<Vec<Finding>> {
    let folder = Folder::read(project.migrations())?;
    lint_draft(draft, &folder, &targets(project, &[])?)
}

/// Shows the findings of a migration that was made, as warnings: on standard error, where they are in nobody's way.
pub(super) fn warn(out: &Out, findings: &[Finding]) {
    for finding in findings.iter().filter(|finding| finding.counts(Severity::Warn)) {
        out.note(finding);
    }
}
