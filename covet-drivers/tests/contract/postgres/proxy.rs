//! A proxy between test and server that misbehaves as it is told.

use std::net::SocketAddr;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the proxy does to a connection.
#[derive(Clone, Copy)]
pub(super) enum Behaviour {
    /// Hands everything on.
    Honest,
    /// Hands everything on until the client has said this; the server hears it, its answer is lost.
    SwallowAnswerTo(&'static str),
    /// Hands the server's errors on as notices, until the client has said this: the client does not hear of them.
    HushErrorsUntil(&'static str),
    /// Says that the server has no TLS.
    NoTls,
    /// Says that the server has TLS, and in the same breath what the client could take for the first thing
    /// that came by it.
    StuffedTls,
    /// Writes down what the client says, and misspells a word of it.
    Overheard(&'static Ear),
}

/// What was overheard, and what is misspelt.
#[derive(Default)]
pub(super) struct Ear {
    said: Mutex<Vec<u8>>,
    misspelt: Mutex<Option<(&'static str, &'static str)>>,
}

impl Ear {
    pub(super) fn new() -> &'static Ear {
        Box::leak(Box::default())
    }

    /// What the client has said since the last time, as text.
    pub(super) fn said(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.said.lock().unwrap())).replace('\0', " ")
    }

    /// From now on the server hears the second word for the first, which is as long.
    pub(super) fn misspell(&self, words: Option<(&'static str, &'static str)>) {
        *self.misspelt.lock().unwrap() = words;
    }

    fn hear(&self, said: &mut [u8]) {
        self.said.lock().unwrap().extend_from_slice(said);
        if let Some((word, wrong)) = *self.misspelt.lock().unwrap() {
            let places = said.windows(word.len()).enumerate().filter(|(_, part)| *part == word.as_bytes());
            for place in places.map(|(place, _)| place).collect::<Vec<_>>() {
                said[place..place + word.len()].copy_from_slice(wrong.as_bytes());
            }
        }
    }
}

/// Starts one in front of the server; it ends with the runtime of the test.
pub(super) async fn start(server: SocketAddr, behaviour: Behaviour) -> SocketAddr {
    // Another address than the server's, for the sake of certificates.
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, server, behaviour));
        }
    });
    address
}

async fn carry(mut client: TcpStream, server: SocketAddr, behaviour: Behaviour) -> std::io::Result<()> {
    if let Some(answer) = match behaviour {
        Behaviour::NoTls => Some(b"N".to_vec()),
        // A login that needs no password.
        Behaviour::StuffedTls => Some(b"SR\0\0\0\x08\0\0\0\0".to_vec()),
        _ => None,
    } {
        // The request for TLS has a length of 8 and a code of its own; whoever goes on without sends more.
        let mut request = [0; 8];
        client.peek(&mut request).await?;
        if request == [0, 0, 0, 8, 4, 210, 22, 47] {
            client.read_exact(&mut request).await?;
            client.write_all(&answer).await?;
        }
    }
    let mut upstream = TcpStream::connect(server).await?;
    let (mut from_client, mut from_server) = ([0; 8192], [0; 8192]);
    let mut hushed = matches!(behaviour, Behaviour::HushErrorsUntil(_));
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let said = &mut from_client[..read?];
                if said.is_empty() {
                    return Ok(());
                }
                if let Behaviour::Overheard(ear) = behaviour {
                    ear.hear(said);
                }
                if let Behaviour::HushErrorsUntil(word) = behaviour {
                    hushed &= !said.windows(word.len()).any(|part| part == word.as_bytes());
                }
                upstream.write_all(said).await?;
                if let Behaviour::SwallowAnswerTo(word) = behaviour
                    && said.windows(word.len()).any(|part| part == word.as_bytes())
                {
                    // The server has answered once there is something to read.
                    return upstream.read(&mut from_server).await.map(|_| ());
                }
            }
            read = upstream.read(&mut from_server) => {
                let said = &mut from_server[..read?];
                if said.is_empty() {
                    return Ok(());
                }
                if hushed {
                    hush(said);
                }
                client.write_all(said).await?;
            }
        }
    }
}

/// Makes a notice of each error: both are built alike. What was read begins with a message, and answers to several
/// requests may have come together.
fn hush(mut messages: &mut [u8]) {
    while let [kind, a, b, c, d, ..] = messages {
        if *kind == b'E' {
            *kind = b'N';
        }
        let length = 1 + u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        messages = messages.get_mut(length..).unwrap_or_default();
    }
}
