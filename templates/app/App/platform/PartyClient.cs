using System.Collections.Generic;
using System.Net.Http;
using System.Text.Json;
using System.Threading.Tasks;
using Altinn.App.Security;

namespace Altinn.App.Platform
{
    /// <summary>Who there is, and whom one may act for: Profile, Register and Authorization.</summary>
    public class PartyClient
    {
        private readonly PlatformClient platform;

        public PartyClient(PlatformClient platform)
        {
            this.platform = platform;
        }

        public Task<UserProfile> Profile(Caller caller, int user) =>
            platform.Ask<UserProfile>(HttpMethod.Get, "Profile", $"users/{user}", caller);

        /// <summary>The party; null when there is none that the caller may see.</summary>
        public async Task<Party> Find(Caller caller, int party)
        {
            using HttpResponseMessage answer = await platform.Send(HttpMethod.Get, "Register", $"parties/{party}", caller);
            if ((int)answer.StatusCode == 404 || (int)answer.StatusCode == 401)
            {
                // To a user, a party that is not there and one that is nobody's business are the same 401.
                return null;
            }

            await PlatformClient.Succeed(answer, "Register");
            return JsonSerializer.Deserialize<Party>(await answer.Content.ReadAsByteArrayAsync(), Answers.Options);
        }

        /// <summary>The party with a person's or an organisation's number; null when there is none.</summary>
        public async Task<Party> LookUp(Caller caller, string person, string organisation)
        {
            HttpContent body = PlatformClient.Json(new { ssn = person, orgNo = organisation });
            using HttpResponseMessage answer = await platform.Send(HttpMethod.Post, "Register", "parties/lookup", caller, body);
            if ((int)answer.StatusCode == 404)
            {
                return null;
            }

            await PlatformClient.Succeed(answer, "Register");
            return JsonSerializer.Deserialize<Party>(await answer.Content.ReadAsByteArrayAsync(), Answers.Options);
        }

        /// <summary>All that a user may act for.</summary>
        public async Task<List<Party>> Choices(Caller caller, int user)
        {
            using HttpResponseMessage answer = await platform.Send(HttpMethod.Get, "Authorization", $"parties?userid={user}", caller);
            if ((int)answer.StatusCode == 404)
            {
                return new List<Party>();
            }

            await PlatformClient.Succeed(answer, "Authorization");
            return JsonSerializer.Deserialize<List<Party>>(await answer.Content.ReadAsByteArrayAsync(), Answers.Options);
        }

        public Task<bool> Represents(Caller caller, int user, int party) =>
            platform.Ask<bool>(HttpMethod.Get, "Authorization", $"parties/{party}/validate?userid={user}", caller);

        /// <summary>A new token of the same claims.</summary>
        public async Task<string> Renew(Caller caller)
        {
            using HttpResponseMessage answer = await platform.Send(HttpMethod.Get, "Authentication", "refresh", caller);
            await PlatformClient.Succeed(answer, "Authentication");
            return (await answer.Content.ReadAsStringAsync()).Trim().Trim('"');
        }
    }
}
