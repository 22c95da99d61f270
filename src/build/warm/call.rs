//! The call of the compiler, as `MSBuild` tells it at verbosity `detailed`: made again as it was, it saves the evaluation of the
//! project, which takes longer than the compilation.

/// One call of `csc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// `dotnet`, and the compiler's program.
    host: String,
    compiler: String,
    arguments: Vec<String>,
}

impl Call {
    /// The call in the lines of a build; none when there is none, or more than one: then it is not known which of them a
    /// file belongs to.
    pub(super) fn find(lines: &[String]) -> Option<Self> {
        let mut calls = lines.iter().filter_map(|line| Self::read(line));
        let call = calls.next()?;
        calls.next().is_none().then_some(call)
    }

    fn read(line: &str) -> Option<Self> {
        let words = words(line.trim());
        let exec = words.iter().position(|word| word == "exec")?;
        let compiler = words.get(exec + 1).filter(|word| word.ends_with("/csc.dll"))?.clone();
        let host = words.get(exec.checked_sub(1)?)?.clone();
        let mut arguments: Vec<String> = words.get(exec + 2..)?.to_vec();
        arguments.retain(|word| !matches!(word.as_str(), "/noconfig" | "-noconfig" | "/shared"));
        Some(Self { host, compiler, arguments })
    }

    /// The words to run; the build server compiles.
    pub(super) fn words(&self) -> Vec<String> {
        let before = [self.host.as_str(), "exec", &self.compiler, "-noconfig", "-shared"];
        before.into_iter().map(str::to_owned).chain(self.arguments.iter().cloned()).collect()
    }

    fn out(&self) -> Option<&str> {
        self.arguments.iter().find_map(|word| word.strip_prefix("/out:"))
    }

    /// The folder that the program is written to.
    pub(super) fn output_folder(&self, project: &str) -> String {
        let folder =
            self.out().and_then(|out| out.rsplit_once('/')).map_or("", |(folder, _)| folder);
        if folder.starts_with('/') { folder.to_owned() } else { format!("{project}/{folder}") }
    }

    /// The names of what it writes.
    pub(super) fn outputs(&self) -> Vec<String> {
        let name = self.out().map(|out| out.rsplit_once('/').map_or(out, |(_, name)| name));
        let pdb = self.arguments.iter().find_map(|word| word.strip_prefix("/pdb:"));
        // The debugger's file lies beside the program, unless it is named.
        let beside =
            || name.and_then(|name| name.strip_suffix("dll")).map(|stem| format!("{stem}pdb"));
        let pdb = pdb.map(|pdb| pdb.rsplit_once('/').map_or(pdb, |(_, name)| name).to_owned());
        name.map(str::to_owned).into_iter().chain(pdb.or_else(beside)).collect()
    }
}

/// The folder of the last project that a build tells of: ` App -> /App/bin/Release/net8.0/App.dll`.
pub(super) fn output_folder(lines: &[String]) -> Option<String> {
    let told = lines.iter().rev().find_map(|line| {
        let (_, path) = line.split_once(" -> ")?;
        path.trim().strip_suffix(".dll")
    })?;
    told.rsplit_once('/').map(|(folder, _)| folder.to_owned())
}

/// Splits at spaces outside double quotes, which are taken away.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                begun = true;
            }
            c if c.is_whitespace() && !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "   /usr/share/dotnet/dotnet exec \"/usr/share/dotnet/sdk/3.1.102/Roslyn/bincore/csc.dll\" \
        /noconfig /unsafe- /define:\"RELEASE;A B\" /reference:/p/x.dll /out:obj/Release/net/App.dll /target:exe \"my app.cs\"";

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn the_compilers_call_is_found_and_made_again() {
        let call = Call::find(&lines(&["x", LINE, "y"])).unwrap();
        let words = call.words();
        assert_eq!(
            words[..5],
            ["/usr/share/dotnet/dotnet", "exec", call.compiler.as_str(), "-noconfig", "-shared"]
        );
        assert_eq!(words[6], "/define:RELEASE;A B");
        assert_eq!(words.last().unwrap(), "my app.cs");
        assert_eq!(call.output_folder("/App"), "/App/obj/Release/net");
        assert_eq!(call.outputs(), ["App.dll", "App.pdb"]);
        assert_eq!(Call::find(&lines(&[LINE, LINE])), None, "two projects");
        assert_eq!(Call::find(&lines(&["nothing", "a exec b"])), None);
    }

    #[test]
    fn the_programs_folder_is_what_the_build_says() {
        let told =
            lines(&["  Lib -> /src/Lib/bin/x/Lib.dll", "  App -> /App/bin/x/App.dll", "Done."]);
        assert_eq!(output_folder(&told).as_deref(), Some("/App/bin/x"));
        assert_eq!(output_folder(&[]), None);
    }
}
