using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Altinn.App.Platform;
using Altinn.App.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;

namespace Altinn.App
{
    /// <summary>What the frontend and the platform ask about the app itself: metadata, texts, layouts, schema, process.</summary>
    public class ConfigurationEndpoints
    {
        private const string Json = "application/json; charset=utf-8";
        private const string Xml = "application/xml; charset=utf-8";

        private readonly AppFiles files;
        private readonly IConfiguration configuration;
        private readonly PlatformSettings settings;
        private readonly Callers callers;

        public ConfigurationEndpoints(AppFiles files, IConfiguration configuration, PlatformSettings settings, Callers callers)
        {
            this.files = files;
            this.configuration = configuration;
            this.settings = settings;
            this.callers = callers;
        }

        public void Map(IEndpointRouteBuilder endpoints)
        {
            endpoints.MapGet("/", Page);

            endpoints.MapGet("/api/v1/applicationmetadata", c => File(c, Json, "config", "applicationmetadata.json"));
            endpoints.MapGet("/api/v1/applicationsettings", FrontEndSettings);
            endpoints.MapGet("/api/v1/applicationlanguages", Languages);
            endpoints.MapGet("/api/v1/texts/{language}", Texts);
            endpoints.MapGet("/api/v1/footer", c => OptionalFile(c, Json, "ui", "footer.json"));
            endpoints.MapGet("/api/v1/meta/process", c => File(c, Xml, "config", "process", "process.bpmn"));
            endpoints.MapGet("/api/v1/meta/authorizationpolicy", c => File(c, Xml, "config", "authorization", "policy.xml"));

            endpoints.MapGet("/api/layoutsets", c => File(c, Json, "ui", "layout-sets.json"));
            endpoints.MapGet("/api/layouts/{set}", Layouts);
            endpoints.MapGet("/api/layoutsettings/{set}", c => File(c, Json, "ui", Value(c, "set"), "Settings.json"));
            endpoints.MapGet("/api/ruleconfiguration/{set}", c => OptionalFile(c, Json, "ui", Value(c, "set"), "RuleConfiguration.json"));
            endpoints.MapGet("/api/rulehandler/{set}", c => OptionalFile(c, "text/javascript; charset=utf-8", "ui", Value(c, "set"), "RuleHandler.js"));

            endpoints.MapGet("/api/jsonschema/{type}", c => File(c, Json, "models", Value(c, "type") + ".schema.json"));
            endpoints.MapGet("/api/validationconfig/{type}", c => OptionalFile(c, Json, "models", Value(c, "type") + ".validation.json"));
            endpoints.MapGet("/api/options/{id}", c => File(c, Json, "options", Value(c, "id") + ".json"));
        }

        /// <summary>
        /// The page, with the app's own path as its base: it is asked for both with and without a slash at the
        /// end, and its links must mean the same in both. Everybody gets it; its script sends those who are not logged in
        /// to the platform, whose address it is told here.
        /// </summary>
        private Task Page(HttpContext context)
        {
            byte[] page = files.Read("wwwroot", "index.html");
            if (page == null)
            {
                return Status(context, StatusCodes.Status404NotFound);
            }

            callers.GiveProof(context);
            string html = Encoding.UTF8.GetString(page)
                .Replace("<base href=\"./\">", $"<base href=\"{context.Request.PathBase}/\">")
                .Replace("name=\"authentication\" content=\"\"", $"name=\"authentication\" content=\"{WebUtility.HtmlEncode(settings.Service("Authentication").ToString())}\"");
            return Bytes(context, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(html));
        }

        /// <summary>All pages of a layout set as one object, keyed by file name without its extension.</summary>
        private Task Layouts(HttpContext context)
        {
            string[] folder = { "ui", Value(context, "set"), "layouts" };
            List<string> names = files.Names("*.json", folder).ToList();
            if (names.Count == 0)
            {
                return Status(context, StatusCodes.Status404NotFound);
            }

            using var joined = new MemoryStream();
            string separator = "{";
            foreach (string name in names)
            {
                byte[] layout = files.Read(folder.Append(name).ToArray());
                if (layout == null)
                {
                    // Deleted since the folder was listed.
                    continue;
                }

                joined.Write(Encoding.UTF8.GetBytes(separator + JsonSerializer.Serialize(Path.GetFileNameWithoutExtension(name)) + ":"));
                joined.Write(layout);
                separator = ",";
            }

            joined.Write(Encoding.UTF8.GetBytes(separator == "{" ? "{}" : "}"));
            return Bytes(context, Json, joined.ToArray());
        }

        private Task Texts(HttpContext context)
        {
            string language = Value(context, "language");
            if (language.Length != 2 || !language.All(char.IsLetter))
            {
                return Status(context, StatusCodes.Status400BadRequest);
            }

            byte[] texts = files.Read("config", "texts", $"resource.{language}.json")
                ?? files.Read("config", "texts", "resource.nb.json");
            return texts == null ? Status(context, StatusCodes.Status404NotFound) : Bytes(context, Json, texts);
        }

        private Task Languages(HttpContext context)
        {
            var languages = files.Names("resource.*.json", "config", "texts")
                .Select(name => new Dictionary<string, string> { ["language"] = name.Split('.')[1] });
            return Bytes(context, Json, JsonSerializer.SerializeToUtf8Bytes(languages));
        }

        private Task FrontEndSettings(HttpContext context)
        {
            var settings = configuration.GetSection("FrontEndSettings").GetChildren()
                .ToDictionary(setting => setting.Key, setting => setting.Value);
            return Bytes(context, Json, JsonSerializer.SerializeToUtf8Bytes(settings));
        }

        private Task File(HttpContext context, string contentType, params string[] path)
        {
            byte[] content = files.Read(path);
            return content == null ? Status(context, StatusCodes.Status404NotFound) : Bytes(context, contentType, content);
        }

        /// <summary>A file that an app may do without: the frontend takes 204 for "none" and 404 for a fault.</summary>
        private Task OptionalFile(HttpContext context, string contentType, params string[] path)
        {
            byte[] content = files.Read(path);
            return content == null ? Status(context, StatusCodes.Status204NoContent) : Bytes(context, contentType, content);
        }

        private static string Value(HttpContext context, string name) => (string)context.Request.RouteValues[name];

        private static Task Status(HttpContext context, int status)
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        }

        private static Task Bytes(HttpContext context, string contentType, byte[] content)
        {
            context.Response.ContentType = contentType;
            context.Response.ContentLength = content.Length;
            context.Response.Headers["Cache-Control"] = "no-cache";
            return context.Response.Body.WriteAsync(content, 0, content.Length);
        }
    }
}
