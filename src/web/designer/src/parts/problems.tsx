// What went wrong, in the user's words.

import { Problem } from "@altinn-local/shared";
import { Alert, Button, Link, Paragraph, Spinner } from "@digdir/designsystemet-react";

import { Component, type ReactNode } from "react";

import { isKey, useTexts } from "../texts";

/** The text of a problem: the page's own for those that it knows by code, else the server's. */
export function useProblemText() {
  const t = useTexts();
  return (error: unknown): string => {
    if (!(error instanceof Problem)) return String(error);
    if (error.status === 401) return t("problem.signedOut");
    const key = `problem.${error.code}`;
    return isKey(key) ? t(key) : error.message;
  };
}

/** A refusal stays one; what the server could not do now may work in a moment. Silence was waited out before. */
export const retry = (count: number, error: Error) => count < 2 && error instanceof Problem && error.status >= 500;

export function ProblemAlert({ problem, retry }: { problem: unknown; retry?: () => void }) {
  const t = useTexts();
  const text = useProblemText();
  if (!problem) return null;
  return (
    <Alert data-color="danger" role="alert" className="problem">
      <Paragraph>{text(problem)}</Paragraph>
      <SignInAgain problem={problem} />
      {retry && (
        <Button variant="secondary" data-size="sm" onClick={retry}>
          {t("common.retry")}
        </Button>
      )}
    </Alert>
  );
}

/** Where a part of the page cannot be shown, all else stays, and the page can be loaded anew. */
export class Fallen extends Component<{ children: ReactNode }, { problem?: unknown }> {
  override state: { problem?: unknown } = {};

  static getDerivedStateFromError = (problem: unknown) => ({ problem });

  override render() {
    const { problem } = this.state;
    return problem === undefined ? this.props.children : <ProblemAlert problem={problem} retry={() => location.reload()} />;
  }
}

/** The way back in, in a tab of its own: this one may hold what was not written yet. */
export function SignInAgain({ problem }: { problem: unknown }) {
  const t = useTexts();
  if (!(problem instanceof Problem) || problem.status !== 401) return null;
  return (
    <Link href="/login?redirect_to=/dashboard" target="_blank">
      {t("signIn.button")}
    </Link>
  );
}

export function Loading() {
  const t = useTexts();
  return (
    <div className="loading" role="status">
      <Spinner aria-hidden data-size="md" />
      <span>{t("common.loading")}</span>
    </div>
  );
}
