using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Altinn.App.Forms;
using Altinn.App.Platform;
using Altinn.App.Processes;
using Altinn.App.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Altinn.App.Instances
{
    /// <summary>Instances: made, shown, listed, checked, deleted.</summary>
    public class InstanceEndpoints
    {
        private const string One = "/instances/{party:int}/{guid:guid}";

        private readonly Callers callers;
        private readonly Doorkeeper door;
        private readonly Instantiation instantiation;
        private readonly InstanceChecks checks;
        private readonly StorageClient storage;
        private readonly PartyClient parties;
        private readonly InstanceView view;
        private readonly AppFiles files;

        public InstanceEndpoints(Callers callers, Doorkeeper door, Instantiation instantiation, InstanceChecks checks, StorageClient storage, PartyClient parties, InstanceView view, AppFiles files)
        {
            this.callers = callers;
            this.door = door;
            this.instantiation = instantiation;
            this.checks = checks;
            this.storage = storage;
            this.parties = parties;
            this.view = view;
            this.files = files;
        }

        public void Map(IEndpointRouteBuilder endpoints)
        {
            endpoints.MapPost("/instances", Create);
            endpoints.MapGet("/instances/{party:int}/active", Active);
            endpoints.MapGet(One, Show);
            endpoints.MapDelete(One, Delete);
            endpoints.MapPost(One + "/complete", Confirm);
            endpoints.MapGet(One + "/validate", Validate);
        }

        private async Task Create(HttpContext context)
        {
            Caller caller = await callers.Demand(context);
            InstanceOwner owner = await Owner(context);
            Instance instance = await view.Full(context, caller, await instantiation.Run(context, caller, owner));
            context.Response.Headers["Location"] = instance.SelfLinks.Apps;
            await Answers.Json(context, instance, StatusCodes.Status201Created);
        }

        /// <summary>The owner by id in the query, or as `{"instanceOwner": {…}}` in the body, by id or by number.</summary>
        private static async Task<InstanceOwner> Owner(HttpContext context)
        {
            string party = context.Request.Query["instanceOwnerPartyId"];
            if (!string.IsNullOrEmpty(party))
            {
                return new InstanceOwner { PartyId = party };
            }

            string kind = context.Request.ContentType ?? string.Empty;
            return kind.StartsWith("application/json")
                ? (await Answers.Body<Instance>(context)).InstanceOwner ?? throw Fault.BadRequest("The body names no `instanceOwner`.")
                : throw Fault.BadRequest("Name the owner: `?instanceOwnerPartyId=`, or `{\"instanceOwner\": {\"partyId\": \"…\"}}` as JSON.");
        }

        private async Task Show(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "read");
            if (caller.UserId != null && !IsRead(instance))
            {
                instance = await storage.MarkRead(caller, InstanceId.Of(instance));
            }

            await Answers.Json(context, await view.Full(context, caller, instance));
        }

        private async Task Active(HttpContext context)
        {
            Caller caller = await callers.Demand(context);
            int party = context.Number("party");
            string appId = ApplicationMetadata.Read(files).Id;
            var names = new Dictionary<string, string>();
            var shown = new List<object>();
            foreach (Instance instance in await storage.Active(caller, appId, party))
            {
                string by = instance.LastChangedBy ?? string.Empty;
                if (!names.ContainsKey(by))
                {
                    names[by] = await Name(caller, by);
                }

                shown.Add(new { instance.Id, instance.PresentationTexts, instance.DueBefore, instance.LastChanged, LastChangedBy = names[by] });
            }

            await Answers.Json(context, shown);
        }

        /// <summary>A user's name, as far as it is to be known; organisations are told by their number.</summary>
        private async Task<string> Name(Caller caller, string changedBy)
        {
            if (changedBy.Length == 9 || !int.TryParse(changedBy, out int user))
            {
                return changedBy;
            }

            try
            {
                return (await parties.Profile(caller, user)).Party?.Name ?? changedBy;
            }
            catch (PlatformFault)
            {
                return changedBy;
            }
        }

        private async Task Delete(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "delete");
            bool hard = context.Request.Query["hard"] == "true";
            await Answers.Json(context, await storage.Delete(caller, InstanceId.Of(instance), hard));
        }

        /// <summary>The service owner has fetched what was sent in.</summary>
        private async Task Confirm(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "complete");
            await Answers.Json(context, view.Linked(context, await storage.Confirm(caller, InstanceId.Of(instance))));
        }

        private async Task Validate(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "read");
            string task = instance.Process?.CurrentTask?.ElementId ?? throw Fault.Conflict("The process of this instance has ended: there is nothing to be validated.");
            await Answers.Json(context, await checks.Run(caller, instance, task));
        }

        private static bool IsRead(Instance instance) =>
            instance.Rest != null
            && instance.Rest.TryGetValue("status", out JsonElement status)
            && status.TryGetProperty("readStatus", out JsonElement read)
            && read.ToString() == "Read";
    }
}
