using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;

namespace Altinn.App.Test
{
    /// <summary>An answer, read to its end.</summary>
    public class Reply
    {
        private static readonly HttpClient Client = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false, UseProxy = false });

        public int Status { get; private set; }

        public byte[] Bytes { get; private set; }

        public string Kind { get; private set; }

        public string Text => Encoding.UTF8.GetString(Bytes);

        public JsonElement Json => JsonDocument.Parse(Bytes).RootElement;

        public IReadOnlyList<string> Cookies { get; private set; }

        /// <summary>Sends a request; a name below `localhost` that the resolver does not know is this machine.</summary>
        public static async Task<Reply> To(HttpMethod method, string url, HttpContent body, params (string Name, string Value)[] headers)
        {
            var address = new Uri(url);
            var request = new HttpRequestMessage(method, address) { Content = body };
            if (address.Host.EndsWith(".localhost"))
            {
                request.RequestUri = new UriBuilder(address) { Host = await Find(address.Host) }.Uri;
                request.Headers.Host = address.Authority;
            }

            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            using HttpResponseMessage answer = await Client.SendAsync(request);
            return new Reply
            {
                Status = (int)answer.StatusCode,
                Bytes = await answer.Content.ReadAsByteArrayAsync(),
                Kind = answer.Content.Headers.ContentType?.MediaType,
                Cookies = answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies.ToList() : new List<string>(),
            };
        }

        /// <summary>Containers have such names from their network; few workstations know them.</summary>
        private static async Task<string> Find(string host)
        {
            try
            {
                IPAddress[] found = await Dns.GetHostAddressesAsync(host);
                return found.First(one => one.AddressFamily == AddressFamily.InterNetwork).ToString();
            }
            catch (Exception e) when (e is SocketException || e is InvalidOperationException)
            {
                return "127.0.0.1";
            }
        }

        /// <summary>The same reply when it has one of these statuses.</summary>
        public Reply Is(params int[] statuses)
        {
            return statuses.Contains(Status)
                ? this
                : throw new InvalidOperationException($"the answer is {Status}, not {string.Join(" or ", statuses)}: {new string(Text.Take(400).ToArray())}");
        }
    }
}
