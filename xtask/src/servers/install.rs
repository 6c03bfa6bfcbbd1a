//! Installing missing servers with apt: programs only, no system cluster and no running service.

use std::path::Path;
use std::process::Command;

use super::account::is_root;
use super::programs::{MYSQL_BIN, MYSQLD, Missing, PG_BIN, PGBOUNCER, Programs};
use crate::Outcome;
use crate::process::capture;

/// Debian packages for PostgreSQL's server and clients.
const POSTGRES: &[&str] = &["postgresql"];
/// Debian packages for MariaDB's programs alone: no service, no system data folder.
const MARIADB: &[&str] = &["mariadb-server-core", "mariadb-client"];
/// What to install where a release has no such split under these names.
const MARIADB_WHOLE: &[&str] = &["mariadb-server", "mariadb-client"];

/// `$@` the packages. A policy that forbids service starts stands while packages are set up, and
/// what was there before comes back however this ends.
const INSTALL: &str = r#"
set -eu
policy=/usr/sbin/policy-rc.d
saved=$policy.covet-saved
restore() {
    if [ -e "$saved" ]; then mv -f "$saved" "$policy"; else rm -f "$policy"; fi
}
if [ -e "$policy" ] && [ ! -e "$saved" ]; then mv "$policy" "$saved"; fi
trap restore EXIT
trap 'exit 130' INT TERM HUP
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

conf=/etc/postgresql-common/createcluster.conf
if [ ! -e "$conf" ]; then
    mkdir -p "${conf%/*}"
    echo 'create_main_cluster = false' >"$conf"
fi

export DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1
get() {
    apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
get "$@" || { apt-get update -o DPkg::Lock::Timeout=300 && get "$@"; }
"#;

/// Installs what is missing and finds everything again.
pub(super) fn install(missing: &[Missing]) -> Outcome<Programs> {
    if !is_root()? || !Path::new("/usr/bin/apt-get").is_file() {
        return Err(by_hand(missing));
    }
    let packages = |mariadb: &[&'static str]| -> Vec<&'static str> {
        let wanted = missing.iter().flat_map(|which| match which {
            Missing::Postgres => POSTGRES,
            Missing::Mariadb => mariadb,
            Missing::Openssl => &["openssl"],
            Missing::Pgbouncer => &["pgbouncer"],
        });
        wanted.copied().collect()
    };
    get(&packages(MARIADB)).or_else(|narrow| {
        let whole = packages(MARIADB_WHOLE);
        if missing.contains(&Missing::Mariadb) {
            get(&whole).map_err(|wide| format!("{narrow}\n{wide}"))
        } else {
            Err(narrow)
        }
    })?;
    Programs::find().map_err(|missing| by_hand(&missing))
}

fn get(packages: &[&str]) -> Outcome {
    eprintln!("installing {} …", packages.join(" "));
    let mut command = Command::new("sh");
    command.args(["-c", INSTALL, "covet-install"]).args(packages);
    capture(&mut command).map(drop).map_err(|message| format!("cannot install {}: {message}", packages.join(" ")))
}

fn by_hand(missing: &[Missing]) -> String {
    let mut text = String::from("the tests need real servers; please install:");
    for which in missing {
        text.push_str(match which {
            Missing::Postgres => {
                "\n  PostgreSQL 14 or newer with its client programs (Debian: apt-get install postgresql)"
            }
            Missing::Mariadb => {
                "\n  MariaDB 10.6 or newer with its client programs (Debian: apt-get install mariadb-server)"
            }
            Missing::Openssl => "\n  the openssl program (Debian: apt-get install openssl)",
            Missing::Pgbouncer => "\n  PgBouncer (Debian: apt-get install pgbouncer)",
        });
    }
    text.push_str(&format!(
        "\nor name where they are: {PG_BIN}, {MYSQL_BIN} (folders), {MYSQLD}, {PGBOUNCER} (programs)"
    ));
    text
}
