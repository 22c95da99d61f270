using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net.Http;
using System.Text.Json;
using System.Threading.Tasks;
using Altinn.App.Platform;

namespace Altinn.App.Security
{
    /// <summary>Asks Authorization whether a caller may do something; the policy is config/authorization/policy.xml.</summary>
    public class DecisionClient
    {
        private const string Level = "urn:altinn:minimum-authenticationlevel";
        private const string LevelOfOrg = "urn:altinn:minimum-authenticationlevel-org";

        private readonly PlatformClient platform;
        private readonly AppFiles files;

        public DecisionClient(PlatformClient platform, AppFiles files)
        {
            this.platform = platform;
            this.files = files;
        }

        /// <summary>Refuses with 403 unless the caller may do this to a party's instance, or to the app as such.</summary>
        public async Task Demand(Caller caller, string action, int party, InstanceId? instance = null, string task = null)
        {
            Decision decision = (await Ask(caller, new[] { action }, party, instance, task))[action];
            if (decision.Allowed)
            {
                return;
            }

            string what = instance == null ? $"party {party}" : $"instance {instance}";
            var fault = new Fault(403, "Forbidden", $"The policy does not let this user {action} for {what}.");
            if (decision.NeededLevel != null)
            {
                // The frontend sends the user to log in anew, more strongly.
                fault = new Fault(403, "Forbidden", $"Log in at level {decision.NeededLevel} to {action} for {what}.");
                fault.More["RequiredAuthenticationLevel"] = decision.NeededLevel;
            }

            throw fault;
        }

        /// <summary>The decision on each action.</summary>
        public async Task<Dictionary<string, Decision>> Ask(Caller caller, IReadOnlyList<string> actions, int party, InstanceId? instance, string task)
        {
            object request = Request(caller, actions, Resource(party, instance, task));
            JsonElement answer = await platform.Ask<JsonElement>(HttpMethod.Post, "Authorization", "decision", null, PlatformClient.Json(request));
            List<JsonElement> results = Member(answer, "response")?.EnumerateArray().ToList() ?? new List<JsonElement>();
            if (results.Count != actions.Count)
            {
                throw new PlatformFault(502, $"Authorization answers {results.Count} decisions to {actions.Count} questions.");
            }

            // They come in the order of the questions.
            return actions.Zip(results, (action, result) => (action, Decision: Read(caller, result)))
                .ToDictionary(pair => pair.action, pair => pair.Decision);
        }

        private static object Request(Caller caller, IReadOnlyList<string> actions, IEnumerable<(string Id, string Value)> resource)
        {
            bool several = actions.Count > 1;
            object Category(string id, IEnumerable<(string Id, string Value)> attributes, bool echo = false) => new Dictionary<string, object>
            {
                ["Id"] = several ? id : null,
                ["Attribute"] = attributes.Select(attribute => new Dictionary<string, object>
                {
                    ["AttributeId"] = attribute.Id,
                    ["Value"] = attribute.Value,
                    ["DataType"] = "string",
                    ["Issuer"] = "Altinn",
                    ["IncludeInResult"] = echo || attribute.Id == "urn:altinn:instance-id",
                }).ToList(),
            };

            string actionId = "urn:oasis:names:tc:xacml:1.0:action:action-id";
            var body = new Dictionary<string, object>
            {
                ["ReturnPolicyIdList"] = false,
                ["AccessSubject"] = new[] { Category("s1", caller.Attributes()) },
                ["Action"] = actions.Select((action, index) => Category($"a{index + 1}", new[] { (actionId, action) }, several)).ToList(),
                ["Resource"] = new[] { Category("r1", resource) },
                ["MultiRequests"] = !several ? null : new Dictionary<string, object>
                {
                    ["RequestReference"] = actions.Select((_, index) => new Dictionary<string, object>
                    {
                        ["ReferenceId"] = new[] { "s1", $"a{index + 1}", "r1" },
                    }).ToList(),
                },
            };
            return new Dictionary<string, object> { ["Request"] = body };
        }

        private IEnumerable<(string Id, string Value)> Resource(int party, InstanceId? instance, string task)
        {
            ApplicationMetadata app = ApplicationMetadata.Read(files);
            yield return ("urn:altinn:partyid", party.ToString(CultureInfo.InvariantCulture));
            if (instance != null)
            {
                yield return ("urn:altinn:instance-id", instance.ToString());
            }

            yield return ("urn:altinn:org", app.Org);
            yield return ("urn:altinn:app", app.App);
            if (task != null)
            {
                yield return ("urn:altinn:task", task);
            }
        }

        /// <summary>A permit counts only at the level of log-in that it asks for.</summary>
        private static Decision Read(Caller caller, JsonElement result)
        {
            if (Member(result, "decision")?.ToString() != "Permit")
            {
                return new Decision(false, null);
            }

            Dictionary<string, string> levels = Items(Member(result, "obligations"))
                .SelectMany(obligation => Items(Member(obligation, "attributeAssignment")))
                .GroupBy(assignment => Member(assignment, "category")?.ToString() ?? string.Empty)
                .ToDictionary(group => group.Key, group => Member(group.First(), "value")?.ToString());
            levels.TryGetValue(Level, out string needed);
            if (caller.Org != null && levels.TryGetValue(LevelOfOrg, out string ofOrg))
            {
                needed = ofOrg;
            }

            bool enough = !int.TryParse(needed, out int level) || caller.Level >= level;
            return new Decision(enough, enough ? null : needed);
        }

        private static IEnumerable<JsonElement> Items(JsonElement? list) =>
            list?.ValueKind == JsonValueKind.Array ? list.Value.EnumerateArray() : Enumerable.Empty<JsonElement>();

        /// <summary>A member in either spelling: the service writes `decision`, the standard `Decision`.</summary>
        private static JsonElement? Member(JsonElement from, string name)
        {
            if (from.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            return from.EnumerateObject()
                .Where(member => string.Equals(member.Name, name, StringComparison.OrdinalIgnoreCase))
                .Select(member => (JsonElement?)member.Value)
                .FirstOrDefault();
        }

        /// <summary>Yes, or no, or not at this level of log-in.</summary>
        public class Decision
        {
            public Decision(bool allowed, string neededLevel)
            {
                Allowed = allowed;
                NeededLevel = neededLevel;
            }

            public bool Allowed { get; }

            public string NeededLevel { get; }
        }
    }
}
