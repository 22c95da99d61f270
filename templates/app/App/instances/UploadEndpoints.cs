using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Altinn.App.Forms;
using Altinn.App.Logic;
using Altinn.App.Platform;
using Altinn.App.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Altinn.App.Instances
{
    /// <summary>Takes files in. What the data type does not allow is refused before it is stored.</summary>
    public class UploadEndpoints
    {
        private const string All = "/instances/{party:int}/{guid:guid}/data";

        private readonly Doorkeeper door;
        private readonly StorageClient storage;
        private readonly InstanceView view;
        private readonly AppFiles files;

        public UploadEndpoints(Doorkeeper door, StorageClient storage, InstanceView view, AppFiles files)
        {
            this.door = door;
            this.storage = storage;
            this.view = view;
            this.files = files;
        }

        public void Map(IEndpointRouteBuilder endpoints)
        {
            endpoints.MapPost(All + "/{type}", ByPath);
            endpoints.MapPost(All, ByQuery);
        }

        private async Task ByPath(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "write");
            DataElement element = await Taken(context, caller, instance, context.Value("type"));
            await Answers.Json(context, new
            {
                newDataElementId = element.Id,
                instance = view.Linked(context, await storage.Get(caller, InstanceId.Of(instance))),
                validationIssues = Array.Empty<object>(),
                newDataModels = Array.Empty<object>(),
            });
        }

        /// <summary>As API clients do it.</summary>
        private async Task ByQuery(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "write");
            DataElement element = await Taken(context, caller, instance, context.Request.Query["dataType"]);
            await Answers.Json(context, element, StatusCodes.Status201Created);
        }

        private async Task<DataElement> Taken(HttpContext context, Caller caller, Instance instance, string typeId)
        {
            ApplicationMetadata.DataType type = ApplicationMetadata.Read(files).Type(typeId)
                ?? throw Fault.BadRequest($"The app has no data type `{typeId}`.");
            type.DemandTask(instance);
            if (type.IsForm || type.AppLogic?.DisallowUserCreate == true)
            {
                throw Fault.BadRequest($"Data of type `{typeId}` is not added by users.");
            }

            var checks = new FileChecks(type);
            string name = FileName(context.Request);
            string sentAs = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue kind) ? kind.MediaType.Value : "application/octet-stream";
            byte[] content = await Content(context, checks.MaxSize);
            int others = instance.Data.Count(element => element.DataType == typeId);
            List<Issue> issues = checks.Run(name, sentAs, content.Length).Concat(checks.Count(others + 1)).ToList();
            if (issues.Count > 0)
            {
                var fault = new Fault(400, "File validation failed", string.Join(" ", issues.Select(issue => issue.Description)));
                fault.More["uploadValidationIssues"] = issues;
                throw fault;
            }

            return await storage.Add(caller, InstanceId.Of(instance), typeId, content, FileChecks.KindOf(name) ?? sentAs, name);
        }

        /// <summary>The name in `Content-Disposition`, without any folder.</summary>
        private static string FileName(HttpRequest request)
        {
            if (!ContentDispositionHeaderValue.TryParse(request.Headers["Content-Disposition"].ToString(), out ContentDispositionHeaderValue given))
            {
                return string.Empty;
            }

            string name = given.FileNameStar.HasValue ? given.FileNameStar.Value : Uri.UnescapeDataString(HeaderUtilities.RemoveQuotes(given.FileName).Value ?? string.Empty);
            return name.Split('/', '\\').Last();
        }

        /// <summary>At most one byte more than is allowed, so that it can be said that it is too much.</summary>
        private static async Task<byte[]> Content(HttpContext context, long max)
        {
            var limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>();
            if (limit?.IsReadOnly == false)
            {
                limit.MaxRequestBodySize = null;
            }

            var content = new MemoryStream();
            var piece = new byte[64 * 1024];
            int count;
            while (content.Length <= max && (count = await context.Request.Body.ReadAsync(piece, 0, piece.Length, context.RequestAborted)) > 0)
            {
                content.Write(piece, 0, count);
            }

            return content.ToArray();
        }
    }
}
