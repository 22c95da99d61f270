//! Frames on a byte stream: two lengths, a JSON header, and bytes that belong to it.
//!
//! A frame is `u32` header length, `u32` body length (both big-endian), the header as JSON, the body. Requests carry a
//! number that their replies repeat; a request may have several replies, of which the last is not a [`Reply::Line`].

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Increased whenever a frame's meaning changes; the two sides must have the same.
pub const VERSION: u32 = 2;
/// No header is longer.
pub const MAX_HEADER: u32 = 64 << 20;
/// No body is longer.
pub const MAX_BODY: u32 = 1 << 30;

/// A file to be written or deleted below some root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Relative, with forward slashes, without `.` and `..`.
    pub path: String,
    /// What becomes of it.
    #[serde(flatten)]
    pub change: Change,
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Change {
    /// It holds the next `len` bytes of the body. A file that is there keeps its mode and owner; a new one gets
    /// those of its folder's files, executable if asked for.
    Write {
        /// Bytes.
        len: u64,
        /// Whether a new file may be executed.
        #[serde(default)]
        executable: bool,
    },
    /// It goes; one that is gone already is as wanted.
    Delete,
}

/// What the agent asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase")]
pub enum Request {
    /// Who is there? Answered by [`Reply::Hello`].
    Hello,
    /// In a node: these files are what containers of `image` differ by from it, now and whenever one is started.
    /// Answered by [`Reply::Synced`].
    Sync {
        /// As Kubernetes names it, as `ttdaltinnregistry01.azurecr.io/ttd-demo:c-0123456789ab`.
        image: String,
        /// Paths from the container's root. Added to what was synced before.
        entries: Vec<Entry>,
        /// Restart the program that the supervisor in each container runs.
        restart: bool,
    },
    /// In a node: takes the last [`Request::Sync`] of this stream that restarted an image's programs back, and starts
    /// them anew with what was there before. Answered by [`Reply::Synced`].
    Undo {
        /// As in [`Request::Sync`].
        image: String,
    },
    /// In a node: what is synced, by image. Answered by [`Reply::Sets`].
    Sets,
    /// In a node: new containers of an image are to be as the image is. Answered by [`Reply::Sets`]: what was synced for
    /// it until now.
    Forget {
        /// As in [`Request::Sync`].
        image: String,
    },
    /// In a node: containers of images other than these, and the few that were synced last, need no files any more.
    /// Answered by [`Reply::Done`].
    Keep {
        /// Images whose files are kept; of one repository.
        images: Vec<String>,
        /// The repository, without tag: sets of others are left alone.
        repository: String,
    },
    /// In a node: the files that are synced for an image, with their contents. Answered by [`Reply::Files`].
    Fetch {
        /// As in [`Request::Sync`].
        image: String,
    },
    /// In a node: what runs in the containers of an image. Answered by [`Reply::Lives`].
    Lives {
        /// As in [`Request::Sync`].
        image: String,
    },
    /// In a build container: writes and deletes files below `root`. Answered by [`Reply::Done`].
    Put {
        /// An absolute folder; made when it is missing.
        root: String,
        /// Relative to it.
        entries: Vec<Entry>,
    },
    /// In a build container: runs a program to its end. Answered by any number of [`Reply::Line`] and one
    /// [`Reply::Exited`]. No other request is heard before that, except [`Request::Cancel`].
    Run {
        /// Program and arguments.
        argv: Vec<String>,
        /// An absolute folder.
        directory: String,
        /// Added to the session's own.
        environment: Vec<(String, String)>,
    },
    /// Kills the program that runs; it has no answer of its own.
    Cancel,
    /// In a build container: which of these files are not as `known` says. Answered by [`Reply::Files`].
    Collect {
        /// An absolute folder.
        root: String,
        /// Ends of the names of files that are looked at, as `.dll`; all when empty.
        endings: Vec<String>,
        /// SHA-256 in hexadecimal by path.
        known: BTreeMap<String, String>,
    },
    /// In a build container: one file. Answered by [`Reply::Files`].
    Read {
        /// Absolute.
        path: String,
    },
}

/// A request with its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered<T> {
    /// Repeated by the replies.
    pub id: u64,
    /// What is asked or answered.
    #[serde(flatten)]
    pub body: T,
}

/// A file in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// Relative to what was asked for.
    pub path: String,
    /// SHA-256 in hexadecimal; none when the file is gone.
    pub digest: Option<String>,
    /// How many bytes of the body are its content.
    pub len: u64,
}

/// The files that are synced for one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// As in [`Request::Sync`].
    pub image: String,
    /// Written files, from the container's root, with their digests.
    pub files: BTreeMap<String, String>,
    /// Deleted files.
    pub deleted: Vec<String>,
}

/// A container and the program in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// The container's id in the node.
    pub container: String,
    /// Whether our supervisor is its first process.
    pub supervised: bool,
    /// The process that the supervisor started, in the node's numbers; none while there is none.
    pub child: Option<u32>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "camelCase")]
pub enum Reply {
    /// The helper's side.
    Hello {
        /// Must be [`VERSION`].
        version: u32,
    },
    /// Files were stored, and written into running containers.
    Synced {
        /// Ids of containers that hold the files now.
        containers: Vec<String>,
        /// How many of them were restarted.
        restarted: usize,
        /// Containers that have no supervisor and could not be restarted.
        unsupervised: usize,
    },
    /// What is synced.
    Sets {
        /// One for each image.
        sets: Vec<Set>,
    },
    /// What runs.
    Lives {
        /// One for each container of the image.
        containers: Vec<Life>,
    },
    /// It is done.
    Done,
    /// A line of output of a program that runs.
    Line {
        /// Without its end.
        text: String,
        /// Whether it came on standard error.
        error: bool,
    },
    /// A program ended.
    Exited {
        /// Its code, or 128 and the signal's number.
        code: i32,
    },
    /// Files, with their contents in the body, one after another.
    Files {
        /// In order of their paths.
        files: Vec<Collected>,
    },
    /// It failed.
    Failed {
        /// Why, in one line.
        message: String,
    },
}

/// Writes a frame and flushes.
pub fn write_frame<T: Serialize>(out: &mut impl Write, header: &T, body: &[u8]) -> io::Result<()> {
    out.write_all(&encode(header, body.len())?)?;
    out.write_all(body)?;
    out.flush()
}

/// The lengths and the header of a frame whose body has this many bytes.
pub fn encode<T: Serialize>(header: &T, body: usize) -> io::Result<Vec<u8>> {
    let header = serde_json::to_vec(header)?;
    let too_long = || io::Error::new(io::ErrorKind::InvalidData, "a frame is too long");
    let lengths = [length(header.len(), MAX_HEADER), length(body, MAX_BODY)];
    let [Some(head), Some(tail)] = lengths else { return Err(too_long()) };
    let mut bytes = Vec::with_capacity(8 + header.len());
    bytes.extend_from_slice(&head.to_be_bytes());
    bytes.extend_from_slice(&tail.to_be_bytes());
    bytes.extend_from_slice(&header);
    Ok(bytes)
}

fn length(len: usize, max: u32) -> Option<u32> {
    u32::try_from(len).ok().filter(|len| *len <= max)
}

/// The two lengths of a frame that begins with these bytes.
pub fn lengths(prefix: [u8; 8]) -> io::Result<(usize, usize)> {
    let [head, body] = [0, 4].map(|at| {
        prefix[at..at + 4].iter().fold(0, |sum: u32, byte| (sum << 8) | u32::from(*byte))
    });
    if head > MAX_HEADER || body > MAX_BODY {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"));
    }
    Ok((head as usize, body as usize))
}

/// Reads a frame; none at the end of the stream.
pub fn read_frame<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut prefix = [0; 8];
    match input.read_exact(&mut prefix) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let (head, body) = lengths(prefix)?;
    let mut header = vec![0; head];
    input.read_exact(&mut header)?;
    let mut bytes = vec![0; body];
    input.read_exact(&mut bytes)?;
    Ok(Some((serde_json::from_slice(&header)?, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let request = Numbered {
            id: 7,
            body: Request::Sync {
                image: "r/a:1".to_owned(),
                entries: vec![
                    Entry {
                        path: "app/x".to_owned(),
                        change: Change::Write { len: 3, executable: false },
                    },
                    Entry { path: "app/y".to_owned(), change: Change::Delete },
                ],
                restart: true,
            },
        };
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &request, b"abc").unwrap();
        write_frame(&mut bytes, &Numbered { id: 8, body: Request::Hello }, b"").unwrap();
        let mut input = bytes.as_slice();
        assert_eq!(read_frame(&mut input).unwrap(), Some((request, b"abc".to_vec())));
        let (hello, _) = read_frame::<Numbered<Request>>(&mut input).unwrap().unwrap();
        assert_eq!(hello, Numbered { id: 8, body: Request::Hello });
        assert_eq!(read_frame::<Numbered<Request>>(&mut input).unwrap(), None);
    }

    #[test]
    fn lengths_that_no_frame_has_are_refused() {
        assert!(lengths([255; 8]).is_err());
        assert!(lengths([0, 0, 0, 2, 255, 0, 0, 0]).is_err());
        assert_eq!(lengths([0, 0, 0, 2, 0, 0, 0, 1]).unwrap(), (2, 1));
    }
}
