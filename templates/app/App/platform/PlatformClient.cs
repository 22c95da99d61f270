using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Threading.Tasks;
using Altinn.App.Security;

namespace Altinn.App.Platform
{
    /// <summary>Sends requests to the platform: for a user with the user's own token, always with the app's.</summary>
    public class PlatformClient
    {
        private readonly HttpClient client;
        private readonly PlatformSettings settings;
        private readonly AccessTokens accessTokens;

        public PlatformClient(PlatformSettings settings, AccessTokens accessTokens)
        {
            this.settings = settings;
            this.accessTokens = accessTokens;
            var handler = new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false, UseProxy = false };
            client = new HttpClient(new LocalNames(handler)) { Timeout = TimeSpan.FromSeconds(30) };
        }

        /// <summary>The answer, whatever its status; a `PlatformFault` where there is none.</summary>
        public async Task<HttpResponseMessage> Send(
            HttpMethod method,
            string service,
            string path,
            Caller caller = null,
            HttpContent body = null,
            IReadOnlyDictionary<string, string> headers = null)
        {
            var request = new HttpRequestMessage(method, new Uri(settings.Service(service), path)) { Content = body };
            if (caller != null)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", caller.Token);
            }

            string accessToken = accessTokens.Current();
            if (accessToken != null)
            {
                request.Headers.Add("PlatformAccessToken", accessToken);
            }

            foreach (KeyValuePair<string, string> header in headers ?? new Dictionary<string, string>())
            {
                request.Headers.Add(header.Key, header.Value);
            }

            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            return await Sent(request, service);
        }

        /// <summary>What an address of the platform says, asked without any token.</summary>
        public async Task<JsonElement> Public(Uri address)
        {
            using HttpResponseMessage answer = await Sent(new HttpRequestMessage(HttpMethod.Get, address), address.AbsolutePath);
            return await Read<JsonElement>(answer, address.AbsolutePath);
        }

        /// <summary>The answer as JSON; null when there is nothing; anything else but success is a fault.</summary>
        public async Task<T> Ask<T>(HttpMethod method, string service, string path, Caller caller = null, HttpContent body = null, IReadOnlyDictionary<string, string> headers = null)
        {
            using HttpResponseMessage answer = await Send(method, service, path, caller, body, headers);
            return await Read<T>(answer, service);
        }

        public static HttpContent Json<T>(T value)
        {
            var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, Answers.Options));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            return content;
        }

        public static async Task Succeed(HttpResponseMessage answer, string service)
        {
            if (!answer.IsSuccessStatusCode)
            {
                string reason = await answer.Content.ReadAsStringAsync();
                string shown = new string(reason.Take(500).ToArray()).Trim();
                throw new PlatformFault((int)answer.StatusCode, $"{service} answers {(int)answer.StatusCode}{(shown == string.Empty ? "." : ": " + shown)}");
            }
        }

        private static async Task<T> Read<T>(HttpResponseMessage answer, string service)
        {
            await Succeed(answer, service);
            byte[] body = await answer.Content.ReadAsByteArrayAsync();
            try
            {
                return body.Length == 0 ? default : JsonSerializer.Deserialize<T>(body, Answers.Options);
            }
            catch (JsonException e)
            {
                throw new PlatformFault(502, $"{service} answers something that cannot be read: {e.Message}", e);
            }
        }

        private async Task<HttpResponseMessage> Sent(HttpRequestMessage request, string service)
        {
            try
            {
                return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            }
            catch (Exception e) when (e is HttpRequestException || e is OperationCanceledException)
            {
                throw new PlatformFault(null, $"{service} does not answer at {request.RequestUri.GetLeftPart(UriPartial.Authority)}: {(e.InnerException ?? e).Message}", e);
            }
        }
    }
}
