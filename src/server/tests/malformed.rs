//! 2,000 requests that no browser would send: none may end the server, and none may be answered with a fault.

use super::*;

/// A small generator, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a [u8]]) -> &'a [u8] {
        from[self.roll(from.len())]
    }

    fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.roll(longest);
        (0..length).map(|_| u8::try_from(self.roll(256)).unwrap()).collect()
    }
}

fn request(dice: &mut Dice, bearer: &str) -> Vec<u8> {
    if dice.roll(10) == 0 {
        return dice.bytes(400);
    }
    let mut text =
        dice.pick(&[b"GET", b"POST", b"", b"G\xffT", b"CONNECT", b"get", b"PRI"]).to_vec();
    text.extend(dice.pick(&[b" ", b"  ", b"\t", b""]));
    text.extend(dice.pick(&[
        b"/api/v1/state",
        b"/api/v1/actions/up",
        b"/api/v1/events?since=-1",
        b"/api/v1/events?since=99999999999999999999999",
        b"/api/v1/logs?tail=x&follow=maybe&source=%00%ff",
        b"http://[::1",
        b"http://:@/",
        b"*",
        b"//",
        b"/%zz",
        b"/\xc3\x28",
    ]));
    text.extend(dice.pick(&[
        b" HTTP/1.1\r\n",
        b" HTTP/9.9\r\n",
        b"\r\n",
        b" HTTP/1.0\n",
        b" HTTP/1.1 x\r\n",
    ]));
    for _ in 0..dice.roll(6) {
        text.extend(dice.pick(&[
            b"Host: ",
            b"Origin: ",
            b"host:",
            b"Sec-Fetch-Site: ",
            b": ",
            b"Authorization: ",
            b"Last-Event-ID: ",
            b"Content-Length: ",
            b"Transfer-Encoding: ",
        ]));
        match dice.roll(3) {
            0 => {
                let mut noise = dice.bytes(60);
                noise.retain(|byte| *byte != b'\n');
                text.extend(noise);
            }
            1 => text.extend(bearer.as_bytes()),
            _ => text.extend(dice.pick(&[
                b"127.0.0.1:",
                b"[::1",
                b"]:80",
                b"http://",
                b"\xff\xfe",
                b"-1",
                b"18446744073709551616",
                b"chunked, chunked",
                b"chunked",
                b"localhost:99999",
                b":",
            ])),
        }
        text.extend(dice.pick(&[b"\r\n", b"\n", b"\r"]));
    }
    text.extend(dice.pick(&[
        b"\r\n",
        b"",
        b"\r\n{",
        b"\r\nffffffffffffffff\r\n",
        b"\r\n{\"dir\":\"\\ud800\"}",
    ]));
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_malformed_harms_the_server() {
    let served = Arc::new(served().await);
    let mut dice = Dice(0x5eed_1234_abcd_ef01);
    let requests: Vec<Vec<u8>> = (0..2_000).map(|_| request(&mut dice, &served.bearer())).collect();
    let mut tasks = tokio::task::JoinSet::new();
    let requests = Arc::new(requests);
    for part in 0..32 {
        let (served, requests) = (served.clone(), requests.clone());
        tasks.spawn(async move {
            for bytes in requests.iter().skip(part).step_by(32) {
                let (status, _) = served.raw_closing(bytes).await;
                let shown = String::from_utf8_lossy(bytes).into_owned();
                assert!(status.is_none_or(|status| status < 500), "{status:?} to {shown:?}");
                assert_ne!(status, Some(202), "{shown:?}");
            }
        });
    }
    tasks.join_all().await;
    let host = served.host();
    assert_eq!(served.request("GET /health", &[("host", &host)], "").await.0, 200);
    assert_eq!(served.journal.newest(), 0, "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_bodies_have_a_limit() {
    let served = served().await;
    let (host, bearer) = (served.host(), served.bearer());
    let long = "x".repeat(20_000);
    let (status, _) = served.request("GET /health", &[("host", &host), ("x", &long)], "").await;
    assert_eq!(status, 431);
    let headers = [
        ("host", host.as_str()),
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let body = " ".repeat((1 << 20) + 1);
    assert_eq!(served.request("POST /api/v1/actions/down", &headers, &body).await.0, 413);
    let (status, answer) = served.request("POST /api/v1/actions/up", &headers, "{\"x\":1}").await;
    assert_eq!(status, 400);
    assert!(answer.contains("application/problem+json") && answer.contains("\"status\":400"));
}

impl Served {
    /// As `raw`, but says at once that nothing more comes.
    async fn raw_closing(&self, bytes: &[u8]) -> (Option<u16>, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        (text.split(' ').nth(1).and_then(|status| status.parse().ok()), text)
    }
}
