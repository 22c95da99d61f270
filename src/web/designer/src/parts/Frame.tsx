// The head of every page: whose product it stands for, who is signed in, language and appearance.

import { Go, go, useLanguage, useScheme, type Language, type Scheme } from "@altinn-local/shared";
import { Button, Dropdown, Paragraph, SkipLink } from "@digdir/designsystemet-react";
import { MonitorIcon, MoonIcon, PersonCircleIcon, SunIcon } from "@navikt/aksel-icons";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import * as api from "../api";
import { useTexts } from "../texts";

const SCHEMES: Record<Scheme, typeof SunIcon> = { auto: MonitorIcon, light: SunIcon, dark: MoonIcon };

interface Props {
  user?: api.User;
  /** What stands beside the name, as the app's. */
  title?: ReactNode;
  /** What stands at the end, before the menus. */
  state?: ReactNode;
  children: ReactNode;
}

export function Frame({ user, title, state, children }: Props) {
  const t = useTexts();
  return (
    <div className="frame">
      <SkipLink href="#content">{t("skip")}</SkipLink>
      <header className="head">
        <Go to="/dashboard" className="brand" aria-label={`${t("app.name")}: ${t("apps.title")}`}>
          <Logo />
          <span className="brand-name">{t("app.name")}</span>
        </Go>
        <span className="stand-in">{t("app.standIn")}</span>
        {title}
        <div className="head-end">
          {state}
          <Languages />
          <Schemes />
          {user && <UserMenu user={user} />}
        </div>
      </header>
      {children}
    </div>
  );
}

export function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" className="logo">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <path d="M9 23 16 8l7 15M12 18h8" fill="none" className="logo-line" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

function Languages() {
  const { language, choose } = useLanguage();
  const other: Language = language === "nb" ? "en" : "nb";
  return (
    <Button variant="tertiary" data-color="neutral" lang={other} onClick={() => choose(other)}>
      {other === "en" ? "English" : "Norsk"}
    </Button>
  );
}

function Schemes() {
  const t = useTexts();
  const [scheme, choose] = useScheme();
  const order: Scheme[] = ["auto", "light", "dark"];
  const next = order[(order.indexOf(scheme) + 1) % order.length] ?? "auto";
  const Icon = SCHEMES[scheme];
  const label = `${t("scheme")}: ${t(`scheme.${scheme}`)}`;
  return (
    <Button variant="tertiary" data-color="neutral" icon title={label} aria-label={label} onClick={() => choose(next)}>
      <Icon aria-hidden fontSize="1.4rem" />
    </Button>
  );
}

function UserMenu({ user }: { user: api.User }) {
  const t = useTexts();
  const client = useQueryClient();
  const name = user.full_name || user.login;
  const leave = async () => {
    await api.signOut().catch(() => {});
    client.clear();
    go("/");
    location.reload();
  };
  return (
    <Dropdown.TriggerContext>
      <Dropdown.Trigger variant="tertiary" data-color="neutral" icon aria-label={t("user.menu", { name })}>
        <PersonCircleIcon aria-hidden fontSize="1.6rem" />
      </Dropdown.Trigger>
      <Dropdown placement="bottom-end">
        <Paragraph className="menu-name">{name}</Paragraph>
        <Dropdown.List>
          <Dropdown.Item>
            <Dropdown.Button onClick={() => void leave()}>{t("user.signOut")}</Dropdown.Button>
          </Dropdown.Item>
        </Dropdown.List>
      </Dropdown>
    </Dropdown.TriggerContext>
  );
}
