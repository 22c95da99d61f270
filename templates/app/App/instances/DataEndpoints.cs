using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Text.Json;
using System.Threading.Tasks;
using Altinn.App.Forms;
using Altinn.App.Logic;
using Altinn.App.Platform;
using Altinn.App.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Altinn.App.Instances
{
    /// <summary>The data of an instance: forms are read and changed, anything may be downloaded and removed.</summary>
    public class DataEndpoints
    {
        private const string All = "/instances/{party:int}/{guid:guid}/data";
        private const string One = All + "/{element:guid}";

        private readonly Doorkeeper door;
        private readonly StorageClient storage;
        private readonly InstanceView view;
        private readonly AppFiles files;

        public DataEndpoints(Doorkeeper door, StorageClient storage, InstanceView view, AppFiles files)
        {
            this.door = door;
            this.storage = storage;
            this.view = view;
            this.files = files;
        }

        public void Map(IEndpointRouteBuilder endpoints)
        {
            endpoints.MapGet(One, Read);
            endpoints.MapPut(One, Replace);
            endpoints.MapMethods(One, new[] { "PATCH" }, PatchOne);
            endpoints.MapMethods(All, new[] { "PATCH" }, PatchAll);
            endpoints.MapDelete(One, Remove);
        }

        private async Task Read(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "read");
            InstanceId id = InstanceId.Of(instance);
            Guid elementId = context.Guid("element");
            var (element, type) = Find(instance, elementId);
            if (type.IsForm)
            {
                var form = FormType.Of(type);
                object model = form.Read(await storage.Read(caller, id, elementId), element.ContentType);
                await Answers.Json(context, JsonTree.Read(form.ToJson(model)));
                return;
            }

            using HttpResponseMessage stored = await storage.Open(caller, id, elementId);
            context.Response.ContentType = stored.Content.Headers.ContentType?.ToString() ?? "application/octet-stream";
            context.Response.ContentLength = stored.Content.Headers.ContentLength;

            // What somebody uploaded is saved and not shown: it must not run as a page of this app.
            context.Response.Headers["Content-Disposition"] = stored.Content.Headers.ContentDisposition?.ToString() ?? "attachment";
            context.Response.Headers["X-Content-Type-Options"] = "nosniff";
            await stored.Content.CopyToAsync(context.Response.Body);
        }

        /// <summary>A whole form, as JSON or XML.</summary>
        private async Task Replace(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "write");
            Guid elementId = context.Guid("element");
            var (element, type) = FindOpen(instance, elementId);
            if (!type.IsForm)
            {
                throw Fault.BadRequest("A file is not replaced: remove it and add the new one.");
            }

            var form = FormType.Of(type);
            object model = form.Read(await Body(context), context.Request.ContentType);
            byte[] sent = form.ToJson(model);
            FormLogic.Calculate(model);
            DataElement stored = await storage.Replace(caller, InstanceId.Of(instance), elementId, form.ToStored(model), form.StoredAs);
            bool changed = !sent.SequenceEqual(form.ToJson(model));
            await Answers.Json(context, stored, changed ? StatusCodes.Status200OK : StatusCodes.Status201Created);
        }

        private async Task PatchOne(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "write");
            var change = await Answers.Body<Change>(context);
            change.DataElementId = context.Guid("element");
            var (model, issues) = await Changed(caller, instance, change, change.IgnoredValidators);
            await Answers.Json(context, new
            {
                newDataModel = model,
                validationIssues = issues,
                instance = view.Linked(context, await storage.Get(caller, InstanceId.Of(instance))),
            });
        }

        /// <summary>Several forms at once: what Altinn's frontend sends where an app has more than one.</summary>
        private async Task PatchAll(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "write");
            var changes = await Answers.Body<Changes>(context);
            var models = new List<object>();
            var issues = FormLogic.Sources.Except(changes.IgnoredValidators).ToDictionary(source => source, source => new List<Issue>());
            foreach (Change change in changes.Patches)
            {
                var (model, found) = await Changed(caller, instance, change, changes.IgnoredValidators);
                models.Add(new { dataElementId = change.DataElementId, data = model });
                found.ToList().ForEach(source => issues[source.Key].AddRange(source.Value));
            }

            await Answers.Json(context, new
            {
                newDataModels = models,
                validationIssues = issues.Select(source => new { source = source.Key, issues = source.Value }),
                instance = view.Linked(context, await storage.Get(caller, InstanceId.Of(instance))),
            });
        }

        /// <summary>Changes a form, calculates, stores, and says what is wrong with it: one list for each source that was asked.</summary>
        private async Task<(object Model, Dictionary<string, List<Issue>> Issues)> Changed(Caller caller, Instance instance, Change change, List<string> ignored)
        {
            var (element, type) = FindOpen(instance, change.DataElementId);
            if (!type.IsForm)
            {
                throw Fault.BadRequest($"The data type `{type.Id}` is not a form.");
            }

            InstanceId id = InstanceId.Of(instance);
            var form = FormType.Of(type);
            byte[] before = form.ToJson(form.Read(await storage.Read(caller, id, change.DataElementId), element.ContentType));
            object model = form.FromJson(JsonTree.Write(Patched(before, change)));
            FormLogic.Calculate(model);
            byte[] after = form.ToJson(model);
            if (!after.SequenceEqual(before))
            {
                await storage.Replace(caller, id, change.DataElementId, form.ToStored(model), form.StoredAs);
            }

            List<Issue> found = FormLogic.Validate(model).ToList();
            found.ForEach(issue => issue.DataElementId = element.Id);
            var issues = FormLogic.Sources.Except(ignored).ToDictionary(source => source, source => found.Where(issue => issue.Source == source).ToList());
            return (JsonTree.Read(after), issues);
        }

        private static object Patched(byte[] before, Change change)
        {
            var tree = (Dictionary<string, object>)JsonTree.Read(before);
            List<string> known = tree.Keys.ToList();
            try
            {
                JsonPatch.Apply(change.Patch, tree);
            }
            catch (Fault fault)
            {
                fault.More["previousModel"] = JsonTree.Read(before);
                fault.More["dataElementId"] = change.DataElementId;
                throw;
            }

            string unknown = tree.Keys.Except(known).FirstOrDefault();
            return unknown == null ? tree : throw new Fault(422, "The change does not fit", $"The form has no `{unknown}`.");
        }

        private async Task Remove(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "write");
            Guid elementId = context.Guid("element");
            var (_, type) = FindOpen(instance, elementId);
            if (type.AppLogic?.DisallowUserDelete == true || (type.IsForm && type.AppLogic.AutoCreate == true))
            {
                throw Fault.BadRequest($"Data of type `{type.Id}` is not removed by users.");
            }

            InstanceId id = InstanceId.Of(instance);
            await storage.Remove(caller, id, elementId);
            await Answers.Json(context, new
            {
                instance = view.Linked(context, await storage.Get(caller, id)),
                validationIssues = Array.Empty<object>(),
                newDataModels = Array.Empty<object>(),
            });
        }

        private (DataElement Element, ApplicationMetadata.DataType Type) Find(Instance instance, Guid elementId)
        {
            DataElement element = instance.Data.FirstOrDefault(one => one.Id == elementId.ToString())
                ?? throw Fault.NotFound($"The instance has no data element {elementId}.");
            ApplicationMetadata.DataType type = ApplicationMetadata.Read(files).Type(element.DataType)
                ?? throw Fault.NotFound($"The app has no data type `{element.DataType}`; it may have had it when this was stored.");
            return (element, type);
        }

        /// <summary>What may still be changed: in its own task, and not sent in.</summary>
        private (DataElement Element, ApplicationMetadata.DataType Type) FindOpen(Instance instance, Guid elementId)
        {
            var (element, type) = Find(instance, elementId);
            type.DemandTask(instance);
            return element.Locked ? throw Fault.Conflict($"The data element {elementId} is locked: it was sent in.") : (element, type);
        }

        private static async Task<byte[]> Body(HttpContext context)
        {
            var buffer = new System.IO.MemoryStream();
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
            return buffer.ToArray();
        }

        private class Change
        {
            public Guid DataElementId { get; set; }

            public List<JsonPatch> Patch { get; set; } = new List<JsonPatch>();

            public List<string> IgnoredValidators { get; set; } = new List<string>();
        }

        private class Changes
        {
            public List<Change> Patches { get; set; } = new List<Change>();

            public List<string> IgnoredValidators { get; set; } = new List<string>();
        }
    }
}
