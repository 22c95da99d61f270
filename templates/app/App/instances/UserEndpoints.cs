using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Altinn.App.Platform;
using Altinn.App.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Altinn.App.Instances
{
    /// <summary>Who is logged in, and for whom they fill in the form.</summary>
    public class UserEndpoints
    {
        private readonly Callers callers;
        private readonly PartyClient parties;
        private readonly PlatformSettings settings;
        private readonly AppFiles files;

        public UserEndpoints(Callers callers, PartyClient parties, PlatformSettings settings, AppFiles files)
        {
            this.callers = callers;
            this.parties = parties;
            this.settings = settings;
            this.files = files;
        }

        public void Map(IEndpointRouteBuilder endpoints)
        {
            endpoints.MapGet("/api/v1/profile/user", Profile);
            endpoints.MapGet("/api/v1/parties", Choices);
            endpoints.MapPut("/api/v1/parties/{party:int}", Choose);
            endpoints.MapGet("/api/authorization/parties/current", Current);
            endpoints.MapGet("/api/authentication/keepAlive", KeepAlive);
            endpoints.MapPut("/api/authentication/invalidatecookie", Forget);
        }

        private async Task Profile(HttpContext context)
        {
            var (caller, user) = await callers.DemandUser(context);
            UserProfile profile = await parties.Profile(caller, user);
            profile.Party = profile.Party?.Masked();
            await Answers.Json(context, profile);
        }

        private async Task Choices(HttpContext context)
        {
            var (caller, user) = await callers.DemandUser(context);
            List<Party> choices = await parties.Choices(caller, user);
            if (string.Equals(context.Request.Query["allowedtoinstantiatefilter"], "true", System.StringComparison.OrdinalIgnoreCase))
            {
                choices = Fitting(choices, ApplicationMetadata.Read(files).PartyTypesAllowed);
            }

            await Answers.Json(context, choices.Select(party => party.Masked()));
        }

        /// <summary>Parties for which the app is; one that is there for the sake of its children stays with those that fit.</summary>
        private static List<Party> Fitting(IEnumerable<Party> all, ApplicationMetadata.PartyTypes allowed)
        {
            var fitting = new List<Party>();
            foreach (Party party in all)
            {
                List<Party> children = Fitting(party.ChildParties ?? new List<Party>(), allowed);
                bool itself = !party.OnlyHierarchyElementWithNoAccess && !party.IsDeleted && allowed.Allow(party);
                if (itself || children.Count > 0)
                {
                    party.ChildParties = children;
                    party.OnlyHierarchyElementWithNoAccess = !itself;
                    fitting.Add(party);
                }
            }

            return fitting;
        }

        private async Task Choose(HttpContext context)
        {
            var (caller, user) = await callers.DemandUser(context);
            int party = context.Number("party");
            if (!await parties.Represents(caller, user, party))
            {
                throw Fault.BadRequest($"The user {user} may not act for party {party}.");
            }

            callers.Share(context, settings.PartyCookie, party.ToString(), forScripts: true);

            // The frontend waits for exactly this.
            await Answers.Json(context, "Party successfully updated");
        }

        /// <summary>The party of the cookie, if the user may act for it; else the user's own, and the cookie is corrected.</summary>
        private async Task Current(HttpContext context)
        {
            var (caller, user) = await callers.DemandUser(context);
            int own = caller.PartyId ?? (await parties.Profile(caller, user)).PartyId;
            int party = own;
            if (int.TryParse(context.Request.Cookies[settings.PartyCookie], out int chosen) && chosen != own)
            {
                party = await parties.Represents(caller, user, chosen) ? chosen : own;
                if (party == own)
                {
                    callers.Share(context, settings.PartyCookie, own.ToString(), forScripts: true);
                }
            }

            if (string.Equals(context.Request.Query["returnPartyObject"], "true", System.StringComparison.OrdinalIgnoreCase))
            {
                Party found = await parties.Find(caller, party) ?? throw Fault.NotFound($"There is no party {party}.");
                await Answers.Json(context, found.Masked());
                return;
            }

            await Answers.Json(context, party);
        }

        private async Task KeepAlive(HttpContext context)
        {
            Caller caller = await callers.Demand(context);
            string token = await parties.Renew(caller);
            callers.Share(context, settings.TokenCookie, token, forScripts: false);
            callers.GiveProof(context, token);
        }

        private Task Forget(HttpContext context)
        {
            callers.Share(context, settings.TokenCookie, null, forScripts: false);
            return Task.CompletedTask;
        }
    }
}
