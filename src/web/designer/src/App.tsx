// Which page an address shows. Without a session, every address is the invitation to sign in.

import { Go, Problem, useRoute } from "@altinn-local/shared";
import { Heading, Link, Paragraph } from "@digdir/designsystemet-react";
import { useQuery } from "@tanstack/react-query";

import * as api from "./api";
import { Editor } from "./Editor";
import { Frame } from "./parts/Frame";
import { Loading, ProblemAlert } from "./parts/problems";
import { Dashboard } from "./pages/Dashboard";
import { SignIn } from "./pages/SignIn";
import { useTexts } from "./texts";

export function App() {
  const me = useQuery({ queryKey: ["me"], queryFn: api.me, staleTime: Infinity });
  if (me.isPending) return <Loading />;
  if (me.error) {
    const signedOut = me.error instanceof Problem && me.error.status === 401;
    return signedOut ? <SignIn /> : <ProblemAlert problem={me.error} retry={() => void me.refetch()} />;
  }
  return <Pages user={me.data} />;
}

function Pages({ user }: { user: api.User }) {
  const { parts } = useRoute();
  const [first, org, app] = parts;
  if (first === undefined || first === "dashboard") return <Dashboard user={user} />;
  if (first === "editor" && org && app) return <Editor key={`${org}/${app}`} user={user} id={{ org, app }} />;
  return <NotFound user={user} />;
}

function NotFound({ user }: { user: api.User }) {
  const t = useTexts();
  return (
    <Frame user={user}>
      <main id="content" className="page narrow" tabIndex={-1}>
        <Heading level={1}>{t("notFound.title")}</Heading>
        <Paragraph>
          <Link asChild>
            <Go to="/dashboard">{t("notFound.back")}</Go>
          </Link>
        </Paragraph>
      </main>
    </Frame>
  );
}
