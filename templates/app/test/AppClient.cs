using System;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;

namespace Altinn.App.Test
{
    /// <summary>Asks the app, as one person or another.</summary>
    public class AppClient
    {
        private readonly string url;

        public AppClient(string url)
        {
            this.url = url;
        }

        public Task<Reply> Get(string path, string token = null) => Send(HttpMethod.Get, path, token, null);

        public Task<Reply> Send(HttpMethod method, string path, string token, object json) =>
            SendText(method, path, token, json == null ? null : JsonSerializer.Serialize(json));

        public Task<Reply> SendText(HttpMethod method, string path, string token, string json) =>
            Reply.To(method, url + path, json == null ? null : new StringContent(json, Encoding.UTF8, "application/json"), Bearer(token));

        /// <summary>As a page does it: with the cookie of the log-in, and with or without the proof that goes with it.</summary>
        public Task<Reply> SendWithCookie(HttpMethod method, string path, string token, string proof) =>
            Reply.To(method, url + path, null, ("Cookie", "AltinnStudioRuntime=" + token), ("X-XSRF-TOKEN", proof));

        public Task<Reply> Upload(string instance, string token, string name, string kind, byte[] content)
        {
            var body = new ByteArrayContent(content);
            body.Headers.ContentType = MediaTypeHeaderValue.Parse(kind);
            body.Headers.TryAddWithoutValidation("Content-Disposition", "attachment; filename=" + Uri.EscapeDataString(name));
            return Reply.To(HttpMethod.Post, $"{url}/instances/{instance}/data/attachments", body, Bearer(token));
        }

        /// <summary>Changes fields of a form.</summary>
        public Task<Reply> Change(string instance, string form, string token, params (string Field, object Value)[] fields) =>
            Send(HttpMethod.Patch, $"/instances/{instance}/data/{form}", token, new
            {
                patch = fields.Select(field => new { op = "add", path = "/" + field.Field, value = field.Value }),
                ignoredValidators = Array.Empty<string>(),
            });

        private static (string, string) Bearer(string token) => ("Authorization", token == null ? null : "Bearer " + token);
    }
}
