using System;
using System.Net.Http;
using System.Threading.Tasks;

namespace Altinn.App.Test
{
    /// <summary>The platform that the app is played against, and its test people.</summary>
    public class Platform
    {
        public Platform(string url)
        {
            Url = url;
        }

        public string Url { get; }

        /// <summary>A test person's token, as they would have it after logging in.</summary>
        public async Task<string> User(int user, int level = 2) =>
            (await Ask($"/Home/GetTestUserToken/{user}?authenticationLevel={level}")).Is(200).Text.Trim('"');

        public async Task<string> Owner(string org) => (await Ask($"/Home/GetTestOrgToken/{org}")).Is(200).Text.Trim('"');

        public Task<Reply> Ask(string path, string token = null) =>
            Reply.To(HttpMethod.Get, Url + path, null, ("Authorization", token == null ? null : "Bearer " + token));

        /// <summary>Says what to do when there is no platform, or it does not know the app.</summary>
        public async Task DemandApp(string id)
        {
            Reply known;
            try
            {
                known = await Ask("/storage/api/v1/applications/" + id);
            }
            catch (HttpRequestException e)
            {
                throw new Stopped($"No platform answers at {Url} ({e.Message}).\nStart one with `altinn-local up --embedded`, or name it in ALTINN_PLATFORM_URL.");
            }

            if (known.Status != 200)
            {
                throw new Stopped($"The platform at {Url} does not know {id} ({known.Status}).\n`altinn-local up` tells it the app's metadata and policy.");
            }
        }
    }
}
