//! URLs and sessions: how they are opened, and how they end.

use crate::conformance::bed::left_out;
use crate::conformance::fixture::{base, row};
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::contract::{ConnectUrl, TransactionOptions, adapter_for, register};
use crate::error::{Error, ErrorKind};

/// Every scheme leads to the adapter, and none can be taken a second time.
pub async fn the_adapter_is_known_by_its_schemes(bed: &Bed) -> Outcome {
    let schemes = bed.adapter.schemes();
    check!(schemes.contains(&bed.url.scheme()), "{schemes:?}");
    for scheme in schemes {
        check!(*scheme == scheme.to_lowercase(), "{scheme} is not lower case");
        check!(adapter_for(scheme)?.schemes() == schemes, "{scheme} leads elsewhere");
    }
    let kind = register(bed.adapter).err().map(|error| error.kind());
    check!(kind == Some(ErrorKind::Config), "the schemes were taken a second time: {kind:?}");
    Ok(())
}

fn refused(bed: &Bed, url: &str) -> Result<Error, Failure> {
    match bed.adapter.open(&url.parse::<ConnectUrl>()?) {
        Ok(_) => Err(Failure::new("an unknown parameter was taken")),
        Err(error) => {
            check!(error.kind() == ErrorKind::Config, "{error:?}");
            Ok(error)
        }
    }
}

/// A parameter that the adapter does not know is refused by its name, with the nearest that it knows,
/// and without its value.
pub async fn an_unknown_parameter_names_the_nearest(bed: &Bed) -> Outcome {
    let error = refused(bed, &bed.url_with("qqqqqqqqqqqqqqqqqqqq=hunter2"))?;
    let shown = format!("{error} {error:?}");
    check!(shown.contains("qqqqqqqqqqqqqqqqqqqq") && !shown.contains("hunter2"), "{shown}");
    // The known ones are said when none is near.
    let known = error.help().unwrap_or_default().trim_start_matches("known are ").to_owned();
    let mut asked = 0;
    for name in
        known.split(", ").filter(|name| name.len() >= 4 && name.chars().all(|c| c.is_alphanumeric() || c == '_'))
    {
        let error = refused(bed, &bed.url_with(&format!("{name}x=1")))?;
        check!(error.help().is_some_and(|help| help.contains(name)), "`{name}x` and not `{name}`: {error}");
        asked += 1;
    }
    if asked == 0 {
        left_out("the nearest parameter: the adapter has none");
    }
    Ok(())
}

/// No password is in any `Debug`, `Display`, target or error.
pub async fn nothing_shows_a_password(bed: &Bed) -> Outcome {
    let session = bed.connect().await?;
    if let Some(password) = bed.url.password().map(|password| password.reveal()).filter(|text| text.len() > 3) {
        let shown = format!(
            "{:?} {} {:?} {:?} {:?} {}",
            bed.url,
            bed.url,
            bed.adapter,
            bed.backend,
            session,
            bed.backend.target()
        );
        check!(!shown.contains(password), "the password of the URL is shown");
    }
    drop(session);
    let Some((before, after)) = bed.text.split_once("://").filter(|_| bed.url.host().is_some()) else {
        left_out("a wrong password: the URL has no server");
        return Ok(());
    };
    let server = after.rsplit_once('@').map_or(after, |(_, server)| server);
    let user = bed.url.user().unwrap_or("nobody");
    let wrong: ConnectUrl = format!("{before}://{user}:hunter2@{server}").parse()?;
    let mut shown = format!("{wrong:?} {wrong}");
    match bed.adapter.open(&wrong) {
        Err(error) => shown.push_str(&format!("{error} {error:?}")),
        Ok(backend) => {
            shown.push_str(&format!("{backend:?} {}", backend.target()));
            match backend.connect().await {
                Ok(connection) => shown.push_str(&format!("{connection:?}")),
                Err(error) => {
                    let kind = error.kind();
                    check!(kind == ErrorKind::Authentication, "a wrong password gave {kind:?}");
                    shown.push_str(&format!("{error} {error:?}"));
                }
            }
        }
    }
    check!(!shown.contains("hunter2"), "{shown}");
    Ok(())
}

/// Eight sessions at once, each with its own answers.
pub async fn many_sessions_side_by_side(bed: &Bed) -> Outcome {
    let Some((_, _)) = bed.pair().await? else {
        let most = bed.backend.max_connections();
        check!(most == Some(1), "there can be no second session, and the most are {most:?}");
        return Ok(());
    };
    let many = bed.backend.max_connections().unwrap_or(8).min(8);
    let mut tasks = Vec::new();
    for number in (0..).take(many) {
        let mut session = bed.connect().await?;
        tasks.push(async move {
            for round in 0..20 {
                let wanted = number * 1000 + round;
                let came = session.echo(wanted).await?;
                check!(came == wanted, "{came} came for {wanted}");
            }
            session.into_connection().close().await?;
            Ok::<_, Failure>(())
        });
    }
    for outcome in futures_util::future::join_all(tasks).await {
        outcome?;
    }
    Ok(())
}

/// A session that is closed has let go of everything: its tables can be dropped.
pub async fn a_closed_session_leaves_no_lock(bed: &Bed) -> Outcome {
    let Some((mut one, mut two)) = bed.pair().await? else { return Ok(()) };
    one.exec(row(1, None)).await?;
    one.count("t").await?;
    one.begin(&TransactionOptions::default()).await?;
    one.exec(row(2, None)).await?;
    one.into_connection().close().await?;
    check!(two.count("t").await? == 1, "a close commits nothing");
    two.unmake(&base()).await
}

/// A session that is dropped in a transaction has committed nothing, and its locks end soon.
pub async fn a_dropped_session_leaves_no_transaction(bed: &Bed) -> Outcome {
    let Some((mut one, mut two)) = bed.pair().await? else { return Ok(()) };
    for _ in 0..3 {
        one.begin(&TransactionOptions::default()).await?;
        one.exec(row(1, Some(1))).await?;
        drop(std::mem::replace(&mut one, bed.connect().await?));
        // The same key waits for the transaction that is gone, and no longer.
        two.exec(row(1, Some(1))).await?;
        check!(two.exec(crate::conformance::fixture::delete("t", None)).await?.affected == 1, "one row");
    }
    Ok(())
}
