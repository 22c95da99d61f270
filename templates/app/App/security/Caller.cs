using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Altinn.App.Platform;

namespace Altinn.App.Security
{
    /// <summary>Who sends a request, as a token says that was believed.</summary>
    public class Caller
    {
        private readonly JsonElement claims;

        public Caller(string token, JsonElement claims)
        {
            Token = token;
            this.claims = claims;
        }

        /// <summary>It goes on to the platform with what is done for the caller.</summary>
        public string Token { get; }

        /// <summary>Null for organisations and systems.</summary>
        public int? UserId => Number("urn:altinn:userid");

        public int? PartyId => Number("urn:altinn:partyid");

        public int Level => Number("urn:altinn:authlevel") ?? 0;

        /// <summary>The short name of a service owner.</summary>
        public string Org => Text("urn:altinn:org");

        public PlatformUser Performer => new PlatformUser { UserId = UserId, OrgId = Org, AuthenticationLevel = Level };

        /// <summary>What Authorization is to know of the caller (`DecisionClient`).</summary>
        public IEnumerable<(string Id, string Value)> Attributes()
        {
            // Of those that say who it is, exactly one counts: the first that there is.
            string[] identities = { "urn:altinn:person:uuid", "urn:altinn:userid", "urn:altinn:partyid", "urn:altinn:resource" };
            string identity = identities.FirstOrDefault(name => Text(name) != null);

            string system = SystemUser();
            if (identity == null && system != null)
            {
                return new[] { ("urn:altinn:systemuser:uuid", system) };
            }

            IEnumerable<(string Id, string Value)> others = claims.EnumerateObject()
                .Where(claim => claim.Name.StartsWith("urn:") && !identities.Contains(claim.Name) && claim.Name != "urn:altinn:orgNumber")
                .Select(claim => (Id: claim.Name, Value: Text(claim.Name)))
                .Append(("urn:scope", Text("scope")))
                .Append(("urn:altinn:sessionid", Text("jti")));
            others = identity != null
                ? others.Append((identity, Text(identity)))
                : others.Append(("urn:altinn:organizationnumber", Text("urn:altinn:orgNumber")))
                    .Append(("urn:altinn:organization:identifier-no", Text("urn:altinn:orgNumber")));
            return others.Where(attribute => attribute.Value != null);
        }

        private string SystemUser()
        {
            if (!claims.TryGetProperty("authorization_details", out JsonElement details))
            {
                return null;
            }

            JsonElement one = details.ValueKind == JsonValueKind.Array ? details.EnumerateArray().FirstOrDefault() : details;
            return one.ValueKind == JsonValueKind.Object && one.TryGetProperty("systemuser_id", out JsonElement ids) && ids.ValueKind == JsonValueKind.Array
                ? ids.EnumerateArray().Select(id => id.ToString()).FirstOrDefault()
                : null;
        }

        private int? Number(string name) => int.TryParse(Text(name), out int number) ? number : (int?)null;

        /// <summary>Numbers come as numbers or as texts, depending on who issued the token.</summary>
        private string Text(string name)
        {
            if (!claims.TryGetProperty(name, out JsonElement value))
            {
                return null;
            }

            return value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number => value.GetRawText(),
                JsonValueKind.True => "true",
                JsonValueKind.False => "false",
                _ => null,
            };
        }
    }
}
