using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Altinn.App.Logic;
using Microsoft.AspNetCore.StaticFiles;

namespace Altinn.App.Forms
{
    /// <summary>What a file must be to be taken in, as its data type says.</summary>
    public class FileChecks
    {
        private const long Megabyte = 1024 * 1024;
        private const string Unknown = "application/octet-stream";

        private readonly ApplicationMetadata.DataType type;

        public FileChecks(ApplicationMetadata.DataType type)
        {
            this.type = type;
        }

        /// <summary>In bytes.</summary>
        public long MaxSize => type.MaxSize > 0 ? type.MaxSize.Value * Megabyte : 50 * Megabyte;

        /// <summary>The kind of file that a name's ending tells; null when it tells none.</summary>
        public static string KindOf(string fileName) =>
            new FileExtensionContentTypeProvider().TryGetContentType(fileName ?? string.Empty, out string kind) ? kind : null;

        /// <summary>What is wrong with a file; empty when nothing is.</summary>
        public IEnumerable<Issue> Run(string fileName, string contentType, long size)
        {
            string kind = KindOf(fileName);
            if (string.IsNullOrEmpty(Path.GetExtension(fileName)))
            {
                yield return Wrong("MissingFileName", "file.noName", "The file needs a name with an ending.");
            }
            else if (contentType != Unknown && kind != null && kind != contentType)
            {
                yield return Wrong("InvalidFileType", "file.otherType", $"`{fileName}` is named as {kind}, and sent as {contentType}.", ("type", contentType));
            }
            else if (!IsAllowed(kind ?? contentType))
            {
                yield return Wrong("ContentTypeNotAllowed", "file.type", $"Files of type {kind ?? contentType} are not taken; these are: {Allowed}.", ("allowed", Endings));
            }

            if (size == 0)
            {
                yield return Wrong("DataElementEmpty", "file.empty", "The file is empty.");
            }
            else if (size > MaxSize)
            {
                yield return Wrong("DataElementTooLarge", "file.tooLarge", $"The file is larger than {MaxSize / Megabyte} MB.", ("max", (MaxSize / Megabyte).ToString()));
            }
        }

        /// <summary>Whether there may be as many.</summary>
        public IEnumerable<Issue> Count(int count)
        {
            if (type.MaxCount > 0 && count > type.MaxCount)
            {
                yield return Wrong("TooManyDataElementsOfType", "file.tooMany", $"There may be {type.MaxCount} of type {type.Id}.", ("max", type.MaxCount.ToString()));
            }

            if (count < type.MinCount)
            {
                yield return Wrong("TooFewDataElementsOfType", "file.tooFew", $"There must be {type.MinCount} of type {type.Id}.", ("min", type.MinCount.ToString()));
            }
        }

        private string Allowed => string.Join(", ", type.AllowedContentTypes ?? new List<string>());

        /// <summary>The kinds as people call them: `PDF, PNG`.</summary>
        private string Endings => string.Join(", ", (type.AllowedContentTypes ?? new List<string>()).Select(kind => kind.Substring(kind.IndexOf('/') + 1).ToUpperInvariant()));

        private bool IsAllowed(string kind) =>
            type.AllowedContentTypes == null || type.AllowedContentTypes.Count == 0 || type.AllowedContentTypes.Contains(kind, StringComparer.OrdinalIgnoreCase);

        private Issue Wrong(string code, string textKey, string description, params (string Name, string Value)[] parameters) =>
            new Issue("DataElement", type.Id, textKey)
            {
                Code = code,
                Description = description,
                TextParameters = parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value),
            };
    }
}
