//! Events and logs as streams.

use super::*;

impl Served {
    fn log(&self, source: &str, line: &str) {
        let (source, line) = (source.to_owned(), line.to_owned());
        self.journal.emit(EventKind::Log { source, line });
    }

    async fn stream(&self, path: &str, header: &str) -> String {
        let (host, bearer) = (self.host(), self.bearer());
        let headers = [("host", host.as_str()), ("authorization", bearer.as_str())];
        let (name, value) = header.split_once(": ").unwrap_or(("x-none", "1"));
        let headers = [headers[0], headers[1], (name, value)];
        let (status, answer) = self.request(&format!("GET {path}"), &headers, "").await;
        assert_eq!(status, 200);
        answer
    }
}

fn ids(answer: &str) -> Vec<u64> {
    answer.lines().filter_map(|line| line.strip_prefix("id: ")?.trim().parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_resume_by_header_or_query() {
    let served = served().await;
    for line in ["one", "two", "three\r\nid: 99\n\n"] {
        served.log("a", line);
    }
    let path = "/api/v1/events";
    assert_eq!(ids(&served.stream(path, "").await), [1, 2, 3]);
    assert_eq!(ids(&served.stream("/api/v1/events?since=2", "").await), [3]);
    let resumed = served.stream("/api/v1/events?since=0", "last-event-id: 1").await;
    assert_eq!(ids(&resumed), [2, 3], "the header is newer than the address");
    assert!(!resumed.contains("event: gap"));
    // The number of an agent that lived longer.
    let other = served.stream(path, "last-event-id: 700").await;
    assert!(other.contains("event: gap"));
    assert_eq!(ids(&other), [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ring_forgot_is_told_as_a_gap() {
    let served = served().await;
    for number in 0..10_010 {
        served.log("a", &number.to_string());
    }
    let (host, bearer) = (served.host(), served.bearer());
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let request = format!(
        "GET /api/v1/events?since=3 HTTP/1.1\r\nhost: {host}\r\nauthorization: {bearer}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    while !text.contains("id: 12\n") {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    assert!(text.find("event: gap").unwrap() < text.find("id: 11\n").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_filtered_and_cut_to_the_tail() {
    let served = served().await;
    for (source, line) in [("studio.gitea", "1"), ("other", "2"), ("studio.gitea", "3")] {
        served.log(source, line);
    }
    let lines = |answer: &str| answer.matches("\"type\":\"log\"").count();
    assert_eq!(lines(&served.stream("/api/v1/logs", "").await), 3);
    let answer = served.stream("/api/v1/logs?source=gitea", "").await;
    assert_eq!(lines(&answer), 2);
    let answer = served.stream("/api/v1/logs?source=gitea&tail=1", "").await;
    assert!(lines(&answer) == 1 && answer.contains("\"line\":\"3\""));
    let answer = served.stream("/api/v1/logs?tail=0&follow=true", "").await;
    assert_eq!(lines(&answer), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_the_agent_and_are_limited() {
    let served = served().await;
    let (host, bearer) = (served.host(), served.bearer());
    let request =
        format!("GET /api/v1/events HTTP/1.1\r\nhost: {host}\r\nauthorization: {bearer}\r\n\r\n");
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 15];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        open.push(stream);
    }
    assert_eq!(served.raw(request.as_bytes()).await.0, Some(429));
    served.closing.cancel();
    for mut stream in open {
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap().unwrap();
    }
    assert!(TcpStream::connect(&host).await.is_err());
}
