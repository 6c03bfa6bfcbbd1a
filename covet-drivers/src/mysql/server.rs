//! Who is at the other end: product and version, and what follows from them.

use crate::capability::Capabilities;
use crate::error::{Error, ErrorKind, Result};

/// The two products that speak this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// MariaDB.
    MariaDb,
    /// MySQL, and whoever calls itself so.
    MySql,
}

/// A server's product and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) product: Product,
    pub(crate) version: (u16, u16, u16),
    pub(crate) text: String,
}

impl Server {
    /// Reads what `VERSION()` and `@@version_comment` say.
    pub(crate) fn read(version: &str, comment: &str) -> Result<Self> {
        let is_mariadb = |text: &str| text.to_ascii_lowercase().contains("mariadb");
        let product = if is_mariadb(version) || is_mariadb(comment) { Product::MariaDb } else { Product::MySql };
        // Old clients are told `5.5.5-10.11.14-MariaDB`.
        let plain = match product {
            Product::MariaDb => version.strip_prefix("5.5.5-").unwrap_or(version),
            Product::MySql => version,
        };
        let mut parts = plain.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u16>().ok());
        let (Some(Some(major)), Some(Some(minor))) = (parts.next(), parts.next()) else {
            return Err(Error::new(ErrorKind::Protocol, "the server tells no version that can be read"));
        };
        // A cloud's build may tell no patch (`8.0.mysql_aurora.3.04.0`): it is taken for a late one.
        let patch = parts.next().flatten().unwrap_or(u16::MAX);
        Ok(Server { product, version: (major, minor, patch), text: version.to_owned() })
    }

    /// Refuses a server that is too old.
    pub(crate) fn check(&self) -> Result<()> {
        // MySQL 8.0.19: `utf8mb4_0900_bin`, checks, defaults that are expressions, DROP CONSTRAINT.
        let (least, words) = match self.product {
            Product::MariaDb => ((10, 6, 0), "MariaDB 10.6"),
            Product::MySql => ((8, 0, 19), "MySQL 8.0.19"),
        };
        if self.version >= least {
            return Ok(());
        }
        Err(Error::new(ErrorKind::ServerVersion, format!("the server is {} {}", self.name(), self.text))
            .with_help(format!("{words} or later is needed")))
    }

    /// The product's name.
    pub(crate) fn name(&self) -> &'static str {
        match self.product {
            Product::MariaDb => "MariaDB",
            Product::MySql => "MySQL",
        }
    }

    /// The collation that compares by code point, trailing blanks included.
    pub(crate) fn collation(&self) -> &'static str {
        match self.product {
            Product::MariaDb => "utf8mb4_nopad_bin",
            Product::MySql => "utf8mb4_0900_bin",
        }
    }

    /// What this server can do.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let returning = self.product == Product::MariaDb && self.version >= (10, 5, 0);
        Capabilities {
            row_locks: true,
            returning_on_insert: returning,
            returning_on_update: false,
            returning_on_delete: returning,
            default_as_value: true,
            conflict_target: false,
            transactional_ddl: false,
            many_connections: true,
            max_parameters: 65_535,
            max_identifier: 64,
            isolation_levels: true,
            read_only_transactions: true,
            partial_indexes: false,
            comments: true,
            set_default: false,
            unbounded_text_keys: false,
            enum_types: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Product, Server};
    use crate::error::{ErrorKind, Result};

    #[test]
    fn products_and_versions() -> Result<()> {
        for (version, comment, product, parts, ok) in [
            ("10.11.14-MariaDB-0+deb12u2", "Debian 12", Product::MariaDb, (10, 11, 14), true),
            ("5.5.5-10.6.1-MariaDB", "", Product::MariaDb, (10, 6, 1), true),
            ("10.5.9-MariaDB", "", Product::MariaDb, (10, 5, 9), false),
            ("11.4.2", "mariadb.org binary distribution", Product::MariaDb, (11, 4, 2), true),
            ("8.0.36", "MySQL Community Server - GPL", Product::MySql, (8, 0, 36), true),
            ("8.0.18", "", Product::MySql, (8, 0, 18), false),
            ("5.7.44-log", "", Product::MySql, (5, 7, 44), false),
            ("8.4.0-commercial", "", Product::MySql, (8, 4, 0), true),
            ("8.0.mysql_aurora.3.04.0", "", Product::MySql, (8, 0, u16::MAX), true),
        ] {
            let server = Server::read(version, comment)?;
            assert_eq!((server.product, server.version), (product, parts), "{version}");
            let error = server.check().err();
            assert_eq!(error.is_none(), ok, "{version}");
            assert!(error.is_none_or(|error| error.kind() == ErrorKind::ServerVersion));
        }
        assert!(Server::read("", "").is_err());
        Ok(())
    }

    #[test]
    fn returning_is_mariadb_only() -> Result<()> {
        let maria = Server::read("10.6.0-MariaDB", "")?.capabilities();
        assert!(maria.returning_on_insert && maria.returning_on_delete && !maria.returning_on_update);
        let mysql = Server::read("9.1.0", "")?;
        let can = mysql.capabilities();
        assert!(!can.returning_on_insert && !can.returning_on_delete && !can.returning_on_update);
        assert_eq!(mysql.collation(), "utf8mb4_0900_bin");
        Ok(())
    }
}
