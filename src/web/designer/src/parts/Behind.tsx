// What came into Gitea since, as from an editor on the user's own machine, and the way to have it here.

import { Go } from "@altinn-local/shared";
import { Alert, Button, Link, Paragraph } from "@digdir/designsystemet-react";
import { CloudDownIcon } from "@navikt/aksel-icons";
import { useMutation } from "@tanstack/react-query";

import * as api from "../api";
import { useTexts } from "../texts";
import { useAddress, useApp, useStatus, useWork } from "./app";
import { ProblemAlert } from "./problems";

/** On every page but that of the changes, which tells more. Gitea is asked twice a minute, and when the window is looked at. */
export function Behind() {
  const t = useTexts();
  const { id } = useApp();
  const address = useAddress();
  const work = useWork();
  const { data: state } = useStatus(true);
  const pull = useMutation({ mutationFn: () => work(() => api.pull(id)) });
  const changes = (
    <Link asChild>
      <Go to={address("changes")}>{t("nav.changes")}</Go>
    </Link>
  );
  let told = null;
  if (state?.merging) {
    told = (
      <Alert data-color="warning" data-size="sm">
        <Paragraph>{t("behind.merging")}</Paragraph>
        {changes}
      </Alert>
    );
  } else if (state && state.behindBy > 0) {
    told = (
      <Alert data-color="info" data-size="sm">
        <Paragraph>{state.aheadBy > 0 ? t("changes.diverged", { n: state.behindBy, own: state.aheadBy }) : t("behind.behind", { n: state.behindBy })}</Paragraph>
        <div className="actions">
          <Button data-size="sm" variant="secondary" loading={pull.isPending} onClick={() => pull.mutate()}>
            <CloudDownIcon aria-hidden fontSize="1.2rem" />
            {t("changes.pull")}
          </Button>
          {changes}
        </div>
        <ProblemAlert problem={pull.error} />
      </Alert>
    );
  }
  return (
    <div role="status" className="told">
      {told}
    </div>
  );
}
