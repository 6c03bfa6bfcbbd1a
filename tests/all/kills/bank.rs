//! A bank: accounts, and transfers that each are one transaction with a row of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use covet_orm::prelude::*;
use covet_orm::{CommitToken, DbOptions, ErrorKind, Isolation, PoolOptions, TxOptions};
use covet_tests::Kind;
use covet_tests::chance::Chance;

use crate::kills::words::{Hears, Word};

const ACCOUNTS: i64 = 50;
const BALANCE: i64 = 100;

/// An account. Its balance is never below zero, which nothing but the transfers sees to.
#[derive(Model, Clone, Debug, PartialEq)]
#[covet(table = "bank_accounts")]
pub(crate) struct Account {
    #[covet(key, auto = false)]
    pub(crate) id: i64,
    pub(crate) balance: i64,
}

/// A transfer that was committed.
#[derive(Model, Clone, Debug, PartialEq)]
#[covet(table = "bank_transfers")]
pub(crate) struct Transfer {
    #[covet(key, auto = false)]
    pub(crate) id: i64,
    pub(crate) payer: i64,
    pub(crate) payee: i64,
    pub(crate) amount: i64,
}

/// When a transfer is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledge {
    /// When Covet says that it is committed.
    Rightly,
    /// Before the commit: must lose transfers when the database is killed.
    TooEarly,
}

/// Opens the bank.
pub(crate) async fn open(url: &str, tasks: usize) -> covet_orm::Result<Db> {
    let pool = PoolOptions { max_size: tasks + 2, acquire_timeout: Duration::from_secs(1), ..PoolOptions::default() };
    Db::connect_with(url, DbOptions::new().pool(pool)).await
}

/// Founds the bank: makes its tables and accounts.
pub(crate) async fn found(db: &Db) -> covet_orm::Result<()> {
    covet_tests::create(db, &covet_orm::models![Account, Transfer]).await;
    db.prepare_commit_tokens().await?;
    let accounts: Vec<Account> = (1..=ACCOUNTS).map(|id| Account { id, balance: BALANCE }).collect();
    Account::insert_all(&accounts).exec(db).await.map(drop)
}

/// Tasks that transfer, and one that reads, until they are told to stop.
pub(crate) struct Business {
    stop: Arc<AtomicBool>,
    tasks: tokio::task::JoinSet<()>,
}

impl Business {
    pub(crate) fn start<H: Hears>(
        db: &Db,
        kind: Kind,
        tasks: usize,
        acknowledge: Acknowledge,
        seed: u64,
        hears: &Arc<H>,
    ) -> Business {
        let stop = Arc::new(AtomicBool::new(false));
        let mut set = tokio::task::JoinSet::new();
        for number in 0..tasks {
            let (db, stop, hears) = (db.clone(), Arc::clone(&stop), Arc::clone(hears));
            let mut chance = Chance(seed.wrapping_add(u64::try_from(number).unwrap()));
            set.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let order = Order::new(&mut chance, hears.next());
                    // Half of the transfers hold their transaction themselves, the others are closures that run again.
                    let done = match acknowledge {
                        Acknowledge::TooEarly => too_early(&db, order, &*hears).await,
                        Acknowledge::Rightly if number % 2 == 0 => by_hand(&db, order, &*hears).await,
                        Acknowledge::Rightly => as_closure(&db, order, &*hears).await,
                    };
                    if let Err(error) = done {
                        match (error.kind(), CommitToken::of(&error)) {
                            (ErrorKind::CommitUnknown, Some(token)) => hears.hear(Word::Unknown(order.id, token)),
                            (ErrorKind::CommitUnknown, None) => hears.hear(Word::Wrong(format!("no token: {error}"))),
                            _ => hears.hear(Word::Failed(order.id)),
                        }
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
            });
        }
        let (db, told, hears) = (db.clone(), Arc::clone(&stop), Arc::clone(hears));
        set.spawn(async move {
            while !told.load(Ordering::Relaxed) {
                // While the database is away there is nothing to see.
                if let Ok(balances) = snapshot(&db, kind).await {
                    hears.hear(Word::Snapshot);
                    if let Some(what) = unsound(&balances) {
                        hears.hear(Word::Wrong(format!("a snapshot: {what}")));
                    }
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        Business { stop, tasks: set }
    }

    /// Waits for all of them.
    pub(crate) async fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

/// A transfer that is to be made.
#[derive(Clone, Copy)]
struct Order {
    id: i64,
    payer: i64,
    payee: i64,
    amount: i64,
}

impl Order {
    fn new(chance: &mut Chance, id: i64) -> Order {
        let mut account = || 1 + i64::try_from(chance.below(usize::try_from(ACCOUNTS).unwrap())).unwrap();
        let (payer, payee) = (account(), account());
        let payee = if payee == payer { payer % ACCOUNTS + 1 } else { payee };
        Order { id, payer, payee, amount: 1 + i64::try_from(chance.below(60)).unwrap() }
    }

    /// The statements of a transfer; an error where the payer has too little.
    async fn write(self, on: &Executor) -> covet_orm::Result<()> {
        let Order { id, payer, payee, amount } = self;
        let has_it = Account::id.eq(payer) & Account::balance.ge(amount);
        let paid = Account::query().filter(has_it).update().set(Account::balance, Account::balance - amount);
        if paid.exec(on).await? == 0 {
            return Err(covet_orm::Error::new(ErrorKind::Check, "the account has too little"));
        }
        let got = Account::query().filter(Account::id.eq(payee)).update();
        got.set(Account::balance, Account::balance + amount).exec(on).await?;
        Transfer::create().id(id).payer(payer).payee(payee).amount(amount).exec(on).await.map(drop)
    }
}

/// Every transfer asks for a token, and nothing waits for ever.
fn options() -> TxOptions {
    TxOptions::new().token().deadline(Duration::from_secs(5))
}

fn token(tx: &Tx<'_>) -> CommitToken {
    tx.commit_token().expect("a token was asked for")
}

async fn by_hand(db: &Db, order: Order, hears: &impl Hears) -> covet_orm::Result<()> {
    let tx = db.begin_with(options()).await?;
    order.write(&tx).await?;
    hears.hear(Word::Begun(order.id, token(&tx)));
    tx.commit().await?;
    hears.hear(Word::Acknowledged(order.id));
    Ok(())
}

async fn as_closure(db: &Db, order: Order, hears: &impl Hears) -> covet_orm::Result<()> {
    db.transaction_with(options(), async |tx| {
        order.write(tx).await?;
        hears.hear(Word::Begun(order.id, token(tx)));
        Ok(())
    })
    .await?;
    hears.hear(Word::Acknowledged(order.id));
    Ok(())
}

async fn too_early(db: &Db, order: Order, hears: &impl Hears) -> covet_orm::Result<()> {
    let tx = db.begin_with(options()).await?;
    order.write(&tx).await?;
    hears.hear(Word::Acknowledged(order.id));
    // So that whatever kills the database finds some of these.
    tokio::time::sleep(Duration::from_millis(50)).await;
    tx.commit().await
}

/// All balances at one moment, read by two statements. On MariaDB these lock what they read, and on the others transfers
/// commit between them: a snapshot of MariaDB is not of one moment (docs/transactions.md).
async fn snapshot(db: &Db, kind: Kind) -> covet_orm::Result<Vec<Account>> {
    let level = if kind == Kind::Postgres { Isolation::RepeatableRead } else { Isolation::Serializable };
    db.transaction_with(TxOptions::new().isolation(level).read_only(), async |tx| {
        let mut accounts = Account::query().filter(Account::id.le(ACCOUNTS / 2)).all(tx).await?;
        tokio::time::sleep(Duration::from_millis(2)).await;
        accounts.extend(Account::query().filter(Account::id.gt(ACCOUNTS / 2)).all(tx).await?);
        Ok(accounts)
    })
    .await
}

pub(crate) async fn balances(db: &Db) -> covet_orm::Result<Vec<Account>> {
    Account::query().all(db).await
}

/// What holds at each moment and does not hold of these.
pub(crate) fn unsound(accounts: &[Account]) -> Option<String> {
    let sum: i64 = accounts.iter().map(|account| account.balance).sum();
    let least = accounts.iter().map(|account| account.balance).min();
    let sound = i64::try_from(accounts.len()) == Ok(ACCOUNTS) && sum == ACCOUNTS * BALANCE && least >= Some(0);
    (!sound).then(|| format!("{} accounts have {sum} together, the least of them {least:?}", accounts.len()))
}

/// Balances are what the transfers made of them: none is there by half.
pub(crate) fn disagreement(accounts: &[Account], transfers: &[Transfer]) -> Vec<String> {
    let mut wanted: std::collections::BTreeMap<i64, i64> = (1..=ACCOUNTS).map(|id| (id, BALANCE)).collect();
    for transfer in transfers {
        *wanted.entry(transfer.payer).or_default() -= transfer.amount;
        *wanted.entry(transfer.payee).or_default() += transfer.amount;
    }
    accounts
        .iter()
        .filter(|account| wanted.get(&account.id) != Some(&account.balance))
        .map(|account| format!("{account:?}, and the transfers say {:?}", wanted.get(&account.id)))
        .collect()
}
