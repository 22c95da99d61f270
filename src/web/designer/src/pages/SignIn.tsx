import { useRoute } from "@altinn-local/shared";
import { Alert, Button, Heading, Paragraph } from "@digdir/designsystemet-react";
import { EnterIcon } from "@navikt/aksel-icons";
import { useEffect } from "react";

import { Frame, Logo } from "../parts/Frame";
import { useTexts } from "../texts";

export function SignIn() {
  const t = useTexts();
  const { query } = useRoute();
  useEffect(() => {
    document.title = t("app.name");
  }, [t]);
  const failed = query.get("signin") === "failed";
  const back = failed ? "/dashboard" : location.pathname + location.search;
  return (
    <Frame>
      <main id="content" className="sign-in" tabIndex={-1}>
        <Logo />
        <Heading level={1} data-size="lg">
          {t("signIn.title")}
        </Heading>
        <Paragraph data-size="md">{t("signIn.text")}</Paragraph>
        {failed && (
          <Alert data-color="warning" role="alert">
            {t("signIn.failed")}
          </Alert>
        )}
        <Button data-size="md" asChild>
          <a href={`/login?redirect_to=${encodeURIComponent(back === "/" ? "/dashboard" : back)}`}>
            <EnterIcon aria-hidden fontSize="1.5rem" />
            {t("signIn.button")}
          </a>
        </Button>
      </main>
    </Frame>
  );
}
