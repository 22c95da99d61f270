using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Altinn.App.Platform;
using Altinn.App.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Altinn.App.Processes
{
    /// <summary>Where an instance stands, and how it goes on.</summary>
    public class ProcessEndpoints
    {
        private const string Path = "/instances/{party:int}/{guid:guid}/process";

        private readonly Doorkeeper door;
        private readonly ProcessEngine engine;
        private readonly StorageClient storage;
        private readonly DecisionClient decisions;
        private readonly EventsClient events;
        private readonly PlatformSettings settings;
        private readonly AppFiles files;

        public ProcessEndpoints(Doorkeeper door, ProcessEngine engine, StorageClient storage, DecisionClient decisions, EventsClient events, PlatformSettings settings, AppFiles files)
        {
            this.door = door;
            this.engine = engine;
            this.storage = storage;
            this.decisions = decisions;
            this.events = events;
            this.settings = settings;
            this.files = files;
        }

        public void Map(IEndpointRouteBuilder endpoints)
        {
            endpoints.MapGet(Path, Show);
            endpoints.MapGet(Path + "/history", History);
            endpoints.MapPut(Path + "/next", Next);
        }

        private async Task Show(HttpContext context)
        {
            var (caller, instance) = await door.Instance(context, "read");
            await Answers.Json(context, await State(caller, instance));
        }

        private async Task History(HttpContext context)
        {
            var (caller, id) = await door.Open(context, "read");
            await Answers.Json(context, await storage.History(caller, id));
        }

        private async Task Next(HttpContext context)
        {
            var (caller, before) = await door.Instance(context, "read");
            ProcessElementInfo task = before.Process?.CurrentTask ?? throw Fault.Conflict("The process of this instance has ended.");
            await DemandAction(context, caller, before, task);
            Instance instance = await engine.Next(caller, InstanceId.Of(before));

            string entered = instance.Process.CurrentTask?.ElementId;
            string told = entered == null ? "app.instance.process.completed" : "app.instance.process.movedTo." + entered;
            await events.Publish(caller, told, instance, settings.AppUrl(context.Request, ApplicationMetadata.Read(files)));
            await Answers.Json(context, await State(caller, instance));
        }

        /// <summary>The action in the body, if there is one, or what the kind of task asks for.</summary>
        private async Task DemandAction(HttpContext context, Caller caller, Instance instance, ProcessElementInfo task)
        {
            string usual = task.AltinnTaskType switch
            {
                "confirmation" => "confirm",
                "signing" => "sign",
                _ => "write",
            };
            string asked = context.Request.ContentLength > 0 ? (await Answers.Body<Wish>(context)).Action : null;
            if (asked != null && asked != usual)
            {
                throw Fault.Conflict($"The action `{asked}` does not take an instance on from a task of type `{task.AltinnTaskType}`; `{usual}` does.");
            }

            InstanceId id = InstanceId.Of(instance);
            await decisions.Demand(caller, usual, id.Party, id, task.ElementId);
        }

        /// <summary>The process as the frontend takes it: with what the caller may do.</summary>
        private async Task<object> State(Caller caller, Instance instance)
        {
            ProcessDefinition definition = ProcessDefinition.Read(files);
            ProcessState process = instance.Process;
            return new
            {
                process.Started,
                process.StartEvent,
                CurrentTask = process.CurrentTask == null ? null : await Task(caller, instance, definition),
                process.Ended,
                process.EndEvent,
                ProcessTasks = definition.Tasks.Select(task => new { ElementId = task.Id, ElementType = "Task", AltinnTaskType = task.TaskType }),
            };
        }

        private async Task<object> Task(Caller caller, Instance instance, ProcessDefinition definition)
        {
            ProcessElementInfo current = instance.Process.CurrentTask;
            InstanceId id = InstanceId.Of(instance);
            IEnumerable<string> own = definition.Task(current.ElementId)?.Actions ?? Enumerable.Empty<string>();
            List<string> actions = new[] { "read", "write" }.Concat(own).Distinct().ToList();
            var allowed = (await decisions.Ask(caller, actions, id.Party, id, current.ElementId))
                .ToDictionary(decision => decision.Key, decision => decision.Value.Allowed);
            return new
            {
                current.Flow,
                current.Started,
                current.ElementId,
                current.Name,
                current.AltinnTaskType,
                ElementType = "Task",
                current.FlowType,
                Read = allowed["read"],
                Write = allowed["write"],
                Actions = allowed,
                UserActions = actions.Select(action => new { Id = action, Authorized = allowed[action], Type = "ProcessAction" }),
            };
        }

        private class Wish
        {
            public string Action { get; set; }
        }
    }
}
