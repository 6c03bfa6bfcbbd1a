//! A proxy between test and server that misbehaves as it is told.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the proxy does to a connection.
#[derive(Clone, Copy)]
pub(super) enum Behaviour {
    /// Hands everything on.
    Honest,
    /// Hands everything on until the client has said this; the server hears it, its answer is lost.
    SwallowAnswerTo(&'static str),
    /// Says that the server has no TLS.
    NoTls,
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
    if matches!(behaviour, Behaviour::NoTls) {
        // The request for TLS has a length of 8 and a code of its own; whoever goes on without sends more.
        let mut request = [0; 8];
        client.peek(&mut request).await?;
        if request == [0, 0, 0, 8, 4, 210, 22, 47] {
            client.read_exact(&mut request).await?;
            client.write_all(b"N").await?;
        }
    }
    let mut upstream = TcpStream::connect(server).await?;
    let (mut from_client, mut from_server) = ([0; 8192], [0; 8192]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let said = &from_client[..read?];
                if said.is_empty() {
                    return Ok(());
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
                let said = &from_server[..read?];
                if said.is_empty() {
                    return Ok(());
                }
                client.write_all(said).await?;
            }
        }
    }
}
