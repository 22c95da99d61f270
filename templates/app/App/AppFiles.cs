using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Microsoft.Extensions.Hosting;

namespace Altinn.App
{
    /// <summary>
    /// The app's configuration, read from disk on every request: the files are few and small, and an edited
    /// one is then live without a restart.
    /// </summary>
    public class AppFiles
    {
        private static readonly byte[] ByteOrderMark = { 0xEF, 0xBB, 0xBF };

        private readonly string root;

        public AppFiles(IHostEnvironment environment)
        {
            root = environment.ContentRootPath;
        }

        /// <summary>"org/app" from the application metadata, or null where it cannot be read.</summary>
        public string Id
        {
            get
            {
                byte[] metadata = Read("config", "applicationmetadata.json");
                if (metadata == null)
                {
                    return null;
                }

                var lenient = new JsonDocumentOptions { AllowTrailingCommas = true };
                try
                {
                    using JsonDocument document = JsonDocument.Parse(metadata, lenient);
                    return document.RootElement.TryGetProperty("id", out JsonElement id) ? id.GetString() : null;
                }
                catch (Exception e) when (e is JsonException || e is InvalidOperationException)
                {
                    return null;
                }
            }
        }

        /// <summary>The file's bytes without a byte-order mark, or null where there is no such file.</summary>
        public byte[] Read(params string[] path)
        {
            if (!StaysInside(path))
            {
                return null;
            }

            byte[] content;
            try
            {
                content = File.ReadAllBytes(Full(path));
            }
            catch (Exception e) when (e is FileNotFoundException || e is DirectoryNotFoundException)
            {
                return null;
            }

            return content.AsSpan().StartsWith(ByteOrderMark) ? content[ByteOrderMark.Length..] : content;
        }

        /// <summary>Names of the files in a folder that match a pattern, in order of name.</summary>
        public IEnumerable<string> Names(string pattern, params string[] folder)
        {
            string full = Full(folder);
            return StaysInside(folder) && Directory.Exists(full)
                ? Directory.EnumerateFiles(full, pattern).Select(Path.GetFileName).OrderBy(name => name, StringComparer.Ordinal)
                : Enumerable.Empty<string>();
        }

        /// <summary>Parts of a path come from addresses, so each must be the plain name of a file or folder.</summary>
        private static bool StaysInside(string[] path) =>
            path.All(part => part != ".." && part.IndexOfAny(new[] { '/', '\\', '\0' }) < 0);

        private string Full(string[] path) => Path.Combine(root, Path.Combine(path));
    }
}
